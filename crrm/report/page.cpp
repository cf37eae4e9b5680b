#include "crrm/report/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crrm/report/axis.h"

namespace crrm {

// Made from Chart.js and the .js and .css of this folder by cmake/report.cmake.
extern const std::string_view kChartScript;
extern const std::string_view kEpochsScript;
extern const std::string_view kPageScript;
extern const std::string_view kPageStyle;
extern const std::string_view kPlotStyle;

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kHead =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    // The page can reach nothing outside itself, whatever a report holds.
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n";

constexpr const char* kChartData = "<script type=\"application/json\" id=\"charts\">";
constexpr const char* kSlider = "<div data-frames=\"";

}  // namespace

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string text_of(const nlohmann::ordered_json& text) {
  return escape_html(text.get<std::string>());
}

std::string exact_number(double value) {
  return fmt::format("<data value=\"{}\">{}</data>", value, axis_number(value));
}

std::string script_json(const Json& value) {
  std::string escaped;
  for (const char c : value.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

std::string section(const std::string& title, const std::string& meaning, const std::string& body) {
  if (body.empty()) return "";
  const std::string lead =
      meaning.empty() ? "" : fmt::format("<p class=\"lead\">{}</p>\n", meaning);
  return fmt::format("<section>\n<h2>{}</h2>\n{}{}</section>\n", title, lead, body);
}

std::string figures(const Json& charts) {
  if (charts.empty()) return "";
  std::string text;
  size_t index = 0;
  for (const Json& chart : charts) {
    const std::string title = escape_html(chart["title"]);
    text += fmt::format(
        "<figure><figcaption><strong>{}</strong> {}</figcaption><div class=\"plot\"><canvas "
        "role=\"img\" aria-label=\"{} over {}\" data-chart=\"{}\"></canvas></div></figure>\n",
        title, escape_html(chart["meaning"]), title, escape_html(chart["x"]), index++);
  }
  return fmt::format(
      "<div class=\"charts\">\n{}</div>\n<noscript><p class=\"lead\">The curves need JavaScript; "
      "their values are in the JSON file beside this page.</p></noscript>\n{}{}</script>\n",
      text, kChartData, script_json(charts));
}

std::string with_slider(const std::vector<std::string>& names, const std::string& lead,
                        const std::string& body) {
  if (names.size() < 2) return lead + body;
  return fmt::format(
      "{}{}{}\">\n<div class=\"control\" hidden><button type=\"button\"></button>"
      "<input type=\"range\" min=\"0\" max=\"{}\" aria-label=\"epoch\"><output></output></div>\n"
      "{}</div>\n",
      lead, kSlider, escape_html(Json(names).dump()), names.size() - 1, body);
}

std::string page(const std::string& title, const std::string& body) {
  const auto has = [&body](const char* part) { return body.find(part) != std::string::npos; };
  std::string text = fmt::format(
      "{}<title>{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n", kHead,
      escape_html(title), kPageStyle, has("<svg ") ? kPlotStyle : "", body);
  if (has(kChartData))
    text += fmt::format("<script>{}</script>\n<script>\n{}</script>\n", kChartScript, kPageScript);
  if (has(kSlider)) text += fmt::format("<script>\n{}</script>\n", kEpochsScript);
  return text + "</body>\n</html>\n";
}

}  // namespace crrm
