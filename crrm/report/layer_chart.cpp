#include "crrm/report/layer_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "crrm/report/page.h"
#include "crrm/report/plot.h"

namespace crrm {

namespace {

constexpr double kWidth = 340, kHeight = 236;
constexpr double kRail = 16;  // below the axis: the height of the marks of what was refused
constexpr PlotArea kArea{.left = 46, .right = 332, .top = 24, .bottom = 186};

struct Axes {
  Axis x, y;
};

std::vector<LayerPoint> all_points(const LayerChart& chart) {
  std::vector<LayerPoint> all;
  for (const LayerSeries& series : chart.series)
    for (const std::vector<LayerPoint>& points : series.frames)
      all.insert(all.end(), points.begin(), points.end());
  return all;
}

/// Intervals widen the axis by half the span of the values at most, so that one wide interval does
/// not flatten the rest.
Range shown_values(const std::vector<LayerPoint>& points) {
  Range values;
  for (const LayerPoint& point : points)
    if (point.value) values.add(*point.value);
  if (values.empty()) return values;
  const double span = std::max(values.high() - values.low(), std::abs(values.high()));
  const double least = values.low() > 0 ? values.low() / 2 : values.low() - span / 2;
  Range shown = values;
  for (const LayerPoint& point : points) {
    if (!point.value || !point.interval) continue;
    shown.add(std::max(point.interval->first, least));
    shown.add(std::min(point.interval->second, values.high() + span / 2));
  }
  return shown;
}

Axes axes_of(const LayerChart& chart) {
  Range layers;
  layers.add(-0.5);
  layers.add(static_cast<double>(chart.layers) - 0.5);
  return {.x = Axis(layers, kArea.left, kArea.right),
          .y = Axis(shown_values(all_points(chart)), kArea.bottom, kArea.top)};
}

/// Every layer has a tick where there is room for all, else every second, fifth, tenth, ...
AxisText layer_ticks(size_t layers) {
  constexpr size_t kMostTicks = 12;
  size_t stride = 1;
  for (size_t i = 0; layers / stride > kMostTicks; ++i)
    stride = i % 3 == 1 ? stride * 5 / 2 : stride * 2;
  AxisText text{.title = "layer, numbered as in the table", .ticks = {}};
  for (size_t i = stride - 1; i < layers; i += stride)
    text.ticks.emplace_back(static_cast<double>(i), fmt::format("{}", i + 1));
  return text;
}

Place place(const LayerPoint& point, const Axes& axes) {
  return {axes.x.at(static_cast<double>(point.layer)),
          point.value ? axes.y.at(*point.value) : kArea.bottom + kRail / 2};
}

/// Runs of points of layers that follow each other and have what `has` looks for.
template <typename Has>
std::vector<std::vector<LayerPoint>> runs(const std::vector<LayerPoint>& points, Has has) {
  std::vector<std::vector<LayerPoint>> found;
  bool open = false;
  for (const LayerPoint& point : points) {
    if (!has(point)) {
      open = false;
      continue;
    }
    if (!open) found.emplace_back();
    open = true;
    found.back().push_back(point);
  }
  return found;
}

std::string lines(const std::vector<LayerPoint>& points, const Axes& axes) {
  std::string svg;
  for (const auto& run :
       runs(points, [](const LayerPoint& point) { return point.value.has_value(); })) {
    std::string path;
    for (const LayerPoint& point : run) {
      const Place at = place(point, axes);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at.x, at.y);
    }
    svg += fmt::format("<path class=\"curve\" d=\"{}\"/>\n", path);
  }
  return svg;
}

/// A band along each run of intervals, as wide as half a layer where a run is of one.
std::string bands(const std::vector<LayerPoint>& points, const Axes& axes) {
  constexpr double kHalf = 0.25;  // of a layer
  std::string svg;
  for (const auto& run :
       runs(points, [](const LayerPoint& point) { return point.value && point.interval; })) {
    std::string above, below;
    for (const LayerPoint& point : run)
      for (const double aside :
           run.size() == 1 ? std::vector<double>{-kHalf, kHalf} : std::vector<double>{0}) {
        const double x = axes.x.at(static_cast<double>(point.layer) + aside);
        above += fmt::format("{}{:.1f} {:.1f}", above.empty() ? "M" : "L", x,
                             axes.y.at(point.interval->second));
        below = fmt::format("L{:.1f} {:.1f}{}", x, axes.y.at(point.interval->first), below);
      }
    svg += fmt::format("<path class=\"band\" d=\"{}{}Z\"/>\n", above, below);
  }
  return svg;
}

std::string marks(const std::vector<LayerPoint>& points, size_t shape, const Axes& axes) {
  std::string svg;
  for (const LayerPoint& point : points) {
    const Place at = place(point, axes);
    const char* kind = !point.value ? " refused" : point.sound ? "" : " doubtful";
    svg += fmt::format(
        "<g class=\"mark{}\" transform=\"translate({:.1f} {:.1f})\"><title>{}</title>"
        "<circle r=\"9\"/>{}</g>\n",
        kind, at.x, at.y, escape_html(point.text), mark_shape(shape));
  }
  return svg;
}

/// Without regard to upper and lower case.
bool alike(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// What stands left of the marks of refused points.
std::string rail_text() {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">refused</text>\n",
                     kArea.left - 5, kArea.bottom + kRail / 2 + 3.5);
}

}  // namespace

std::string layer_figure(const LayerChart& chart) {
  const Axes axes = axes_of(chart);
  const std::vector<LayerPoint> all = all_points(chart);
  const bool rail =
      std::any_of(all.begin(), all.end(), [](const LayerPoint& point) { return !point.value; });
  const std::string unit = chart.unit + (axes.y.logarithmic() ? ", logarithmic" : "");
  std::string body = plot_frame(kArea, axes.x, layer_ticks(chart.layers), axes.y,
                                numbered(axes.y, unit), rail ? kRail : 0);
  if (rail) body += rail_text();
  std::vector<std::string> labels;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const LayerSeries& series = chart.series[i];
    labels.push_back(series.label);
    for (size_t frame = 0; frame < series.frames.size(); ++frame) {
      const std::vector<LayerPoint>& points = series.frames[frame];
      body += fmt::format("<g data-frame=\"{}\" {}>\n{}{}{}</g>\n", frame,
                          series_color(i, chart.series.size()), bands(points, axes),
                          lines(points, axes), marks(points, i, axes));
    }
  }
  const std::string caption = labels.size() == 1 && !alike(labels[0], chart.title) ? labels[0] : "";
  return fmt::format("<figure><figcaption><strong>{}</strong> {}</figcaption>\n{}{}</figure>\n",
                     escape_html(chart.title), escape_html(caption),
                     drawing(kWidth, kHeight, chart.title + " over layers", body), legend(labels));
}

}  // namespace crrm
