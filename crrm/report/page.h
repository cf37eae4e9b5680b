// What all pages of reports share: head, style, sections, charts drawn by page.js, and the slider.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace crrm {

/// `text` with & < > " ' as entities: safe between tags and in quoted attributes.
std::string escape_html(const std::string& text);

/// The same of a text in JSON.
std::string text_of(const nlohmann::ordered_json& text);

/// A <data> element that holds the number to its last digit and shows four.
std::string exact_number(double value);

/// JSON for a <script> element: no "<", so that no text in it ends the element.
std::string script_json(const nlohmann::ordered_json& value);

/// <section> with a heading and a sentence that says what is to be seen; "" where `body` is.
/// All three are HTML.
std::string section(const std::string& title, const std::string& meaning, const std::string& body);

/// Figures with charts, and the data that page.js draws them from; "" where there are none. A chart
/// has title, meaning, what its x is ("step", ...), the formats of y and of x where that is no step
/// (count, plain, percent), `log`, and series [{label, points [{x, y}]}]. A chart with `compares`
/// shows points instead of curves, one colour a series, with whiskers as long as `d` of a point.
std::string figures(const nlohmann::ordered_json& charts);

/// What changes with the epoch, below a slider over epochs where there are several (epochs.js moves
/// the elements with data-frame or data-path).
/// @param names  of the epochs; `lead` and `body` are HTML, and `lead` stays above the slider
std::string with_slider(const std::vector<std::string>& names, const std::string& lead,
                        const std::string& body);

/// A page that can reach nothing outside itself.
/// @param title  text; `body` is HTML
std::string page(const std::string& title, const std::string& body);

}  // namespace crrm
