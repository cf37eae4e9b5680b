// An information plane: where layers go in the course of training.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace crrm {

struct PlaneStop {
  double x = 0, y = 0;
  std::optional<std::pair<double, double>> bounds;  ///< of x
};

/// One layer's way in one training.
struct PlaneCurve {
  size_t layer = 0;                             ///< its place, from 0
  std::vector<std::optional<PlaneStop>> stops;  ///< [epochs]; nothing where there is no number
  std::string text;                             ///< what a pointer over its mark is told
};

struct PlaneChart {
  std::string title, meaning;
  std::string x_title, y_title;
  size_t layers = 0;
  std::vector<PlaneCurve> curves;
};

/// <figure>: thin lines, and a mark on each that stands at its last stop until epochs.js moves it.
std::string plane_figure(const PlaneChart& chart);

}  // namespace crrm
