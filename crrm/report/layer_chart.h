// A chart of what was measured of each layer, from the first to the last.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace crrm {

struct LayerPoint {
  size_t layer = 0;             ///< its place, from 0
  std::optional<double> value;  ///< nothing where it was refused
  std::optional<std::pair<double, double>> interval;
  bool sound = true;  ///< whether the measure vouches for the value
  std::string text;   ///< what a pointer over it is told
};

struct LayerSeries {
  std::string label;
  std::vector<std::vector<LayerPoint>> frames;  ///< [epochs][points], in the order of layers
};

struct LayerChart {
  std::string title;
  std::string unit;
  size_t layers = 0;
  std::vector<LayerSeries> series;
};

/// <figure>: lines through values, bands of their intervals, hollow marks for what is not sound,
/// and below the axis, for what was refused. All epochs are drawn on the same axes, each in
/// elements of its own (data-frame), of which page.css shows the last.
std::string layer_figure(const LayerChart& chart);

}  // namespace crrm
