#include "crrm/report/plane_chart.h"

#include <fmt/format.h>

#include "crrm/report/page.h"
#include "crrm/report/plot.h"

namespace crrm {

namespace {

constexpr double kWidth = 300, kHeight = 268;
constexpr PlotArea kArea{.left = 40, .right = 292, .top = 24, .bottom = 232};

struct Axes {
  Axis x, y;
};

/// Bounds widen no axis: where they are wide they would flatten the ways.
Axes axes_of(const PlaneChart& chart) {
  Range x, y;
  for (const PlaneCurve& curve : chart.curves)
    for (const std::optional<PlaneStop>& stop : curve.stops)
      if (stop) {
        x.add(stop->x);
        y.add(stop->y);
      }
  for (Range* range : {&x, &y}) range->add(0);
  return {.x = Axis(x, kArea.left, kArea.right), .y = Axis(y, kArea.bottom, kArea.top)};
}

std::string trail(const PlaneCurve& curve, const Axes& axes) {
  std::string path;
  bool open = false;
  for (const std::optional<PlaneStop>& stop : curve.stops) {
    if (stop)
      path +=
          fmt::format("{}{:.1f} {:.1f}", open ? "L" : "M", axes.x.at(stop->x), axes.y.at(stop->y));
    open = stop.has_value();
  }
  return fmt::format("<path class=\"trail\" d=\"{}\"/>", path);
}

/// "x,y" or "x,y,low,high" in the drawing, "-" where there is no number.
std::string stop_text(const std::optional<PlaneStop>& stop, const Axes& axes) {
  if (!stop) return "-";
  std::string text = fmt::format("{:.1f},{:.1f}", axes.x.at(stop->x), axes.y.at(stop->y));
  if (stop->bounds)
    text += fmt::format(",{:.1f},{:.1f}", axes.x.at(stop->bounds->first),
                        axes.x.at(stop->bounds->second));
  return text;
}

std::string whisker(const PlaneStop& stop, const Axes& axes) {
  if (!stop.bounds) return "";
  const auto [low, high] = *stop.bounds;
  const double from = axes.x.at(stop.x);
  return fmt::format("M{:.1f} 0H{:.1f}", axes.x.at(low) - from, axes.x.at(high) - from);
}

std::string walker(const PlaneCurve& curve, const Axes& axes) {
  std::vector<std::string> path;
  for (const std::optional<PlaneStop>& stop : curve.stops) path.push_back(stop_text(stop, axes));
  const PlaneStop* last =
      curve.stops.empty() || !curve.stops.back() ? nullptr : &*curve.stops.back();
  const std::string place = last == nullptr
                                ? " off\""
                                : fmt::format("\" transform=\"translate({:.1f} {:.1f})\"",
                                              axes.x.at(last->x), axes.y.at(last->y));
  return fmt::format(
      "<g class=\"mark walker{} data-path=\"{}\"><title>{}</title><path class=\"whisker\" "
      "d=\"{}\"/>"
      "<circle r=\"7\"/>{}</g>",
      place, fmt::join(path, " "), escape_html(curve.text),
      last == nullptr ? "" : whisker(*last, axes), mark_shape(curve.layer));
}

}  // namespace

std::string plane_figure(const PlaneChart& chart) {
  const Axes axes = axes_of(chart);
  std::string body = plot_frame(kArea, axes.x, numbered(axes.x, chart.x_title), axes.y,
                                numbered(axes.y, chart.y_title));
  for (const PlaneCurve& curve : chart.curves)
    body += fmt::format("<g {}>{}{}</g>\n", series_color(curve.layer, chart.layers),
                        trail(curve, axes), walker(curve, axes));
  return fmt::format("<figure><figcaption><strong>{}</strong> {}</figcaption>\n{}</figure>\n",
                     escape_html(chart.title), escape_html(chart.meaning),
                     drawing(kWidth, kHeight, chart.title + ", information plane", body));
}

}  // namespace crrm
