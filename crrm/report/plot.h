// What drawn charts share: the frame with its ticks, marks, lines, colours, the legend.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "crrm/report/axis.h"

namespace crrm {

/// A place in a drawing, y downwards.
struct Place {
  double x = 0, y = 0;
};

/// The part of a drawing that data lie in.
struct PlotArea {
  double left, right, top, bottom;
};

/// One of two axes: what it says, and where its ticks are.
struct AxisText {
  std::string title;
  std::vector<std::pair<double, std::string>> ticks;  ///< value, text
};

/// Ticks of an axis of numbers.
AxisText numbered(const Axis& axis, const std::string& title);

/// Rules, ticks and titles. @param x_titles_below  the height that something else takes below
std::string plot_frame(const PlotArea& area, const Axis& x, const AxisText& x_text, const Axis& y,
                       const AxisText& y_text, double x_titles_below = 0);

/// style="--c: ..." for what is drawn of series `index` of `count`: as far apart as there are
/// series, of one lightness.
std::string series_color(size_t index, size_t count);

/// A <path> around the origin, of another shape for each of six series in turn.
std::string mark_shape(size_t index);

/// An <svg> that is as wide as its column and says `label` to those who do not see it.
std::string drawing(double width, double height, const std::string& label, const std::string& body);

/// Colour and shape of each series; "" for one series.
std::string legend(const std::vector<std::string>& labels);

}  // namespace crrm
