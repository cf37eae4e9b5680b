// A report as one page that needs no network: crrm report RUN.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// The whole page, with Chart.js, style and script inside. Made from the report alone.
/// @throws InputError where validate() does.
std::string html(const nlohmann::ordered_json& report);

/// `text` with & < > " ' as entities: safe between tags and in quoted attributes.
std::string escape_html(const std::string& text);

/// JSON for a <script> element: no "<", so that no text in it ends the element.
std::string script_json(const nlohmann::ordered_json& value);

}  // namespace crrm
