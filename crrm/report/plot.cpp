#include "crrm/report/plot.h"

#include <fmt/format.h>

#include "crrm/report/page.h"

namespace crrm {

namespace {

constexpr double kTextGap = 5;
constexpr double kTickText = 14;   // from the rule to the base line of its number
constexpr double kTitleText = 29;  // and to that of the axis' title

// Of like area, so that none seems to count more.
constexpr std::array<const char*, 6> kShapes = {
    "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0 -6.8 0Z",
    "M-3 -3H3V3H-3Z",
    "M0 -4L4 3H-4Z",
    "M0 -4.3L4.3 0L0 4.3L-4.3 0Z",
    "M0 4L4 -3H-4Z",
    "M-1.3 -4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4V-1.3H-1.3Z",
};

std::string line(double x1, double y1, double x2, double y2) {
  return fmt::format("<path class=\"rule\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", x1, y1, x2, y2);
}

std::string text(double x, double y, const char* anchor, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escape_html(words));
}

}  // namespace

AxisText numbered(const Axis& axis, const std::string& title) {
  AxisText found{.title = title, .ticks = {}};
  for (const double tick : axis.ticks()) found.ticks.emplace_back(tick, axis_number(tick));
  return found;
}

std::string plot_frame(const PlotArea& area, const Axis& x, const AxisText& x_text, const Axis& y,
                       const AxisText& y_text, double x_titles_below) {
  constexpr double kHalfDigit = 3.5;
  std::string svg;
  for (const auto& [value, words] : y_text.ticks) {
    svg += line(area.left, y.at(value), area.right, y.at(value));
    svg += text(area.left - kTextGap, y.at(value) + kHalfDigit, "end", words);
  }
  const double below = area.bottom + x_titles_below;
  for (const auto& [value, words] : x_text.ticks) {
    svg += line(x.at(value), area.bottom, x.at(value), area.bottom + kTextGap - 1);
    svg += text(x.at(value), below + kTickText, "middle", words);
  }
  svg += line(area.left, area.bottom, area.right, area.bottom);
  svg += text((area.left + area.right) / 2, below + kTitleText, "middle", x_text.title);
  svg += text(0, area.top - kTextGap - kTextGap, "start", y_text.title);
  return svg;
}

std::string series_color(size_t index, size_t count) {
  constexpr double kFirstHue = 200;
  const double hue = kFirstHue + 360.0 * static_cast<double>(index) / static_cast<double>(count);
  return fmt::format("style=\"--c:hsl({:.0f} 60% var(--lightness))\"", hue < 360 ? hue : hue - 360);
}

std::string mark_shape(size_t index) {
  return fmt::format("<path d=\"{}\"/>", kShapes[index % kShapes.size()]);
}

std::string drawing(double width, double height, const std::string& label,
                    const std::string& body) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n", width,
      height, escape_html(label), body);
}

std::string legend(const std::vector<std::string>& labels) {
  if (labels.size() < 2) return "";
  std::string items;
  for (size_t i = 0; i < labels.size(); ++i)
    items += fmt::format(
        "<li {}><svg viewBox=\"-6 -6 12 12\" aria-hidden=\"true\"><g class=\"mark\">{}</g></svg>{}"
        "</li>\n",
        series_color(i, labels.size()), mark_shape(i), escape_html(labels[i]));
  return fmt::format("<ul class=\"legend\">\n{}</ul>\n", items);
}

}  // namespace crrm
