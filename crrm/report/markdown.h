// A report as a table for a pull request.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// GitHub-flavoured Markdown. Texts of the report are escaped: they add no markup.
/// @throws InputError where validate() does.
std::string markdown(const nlohmann::ordered_json& report);

/// `text` on one line, with what Markdown or HTML would read as markup escaped.
std::string escape_markdown(const std::string& text);

}  // namespace crrm
