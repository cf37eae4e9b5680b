// JSON that people or other programs wrote.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace crrm {

/// @param file  what an error names
/// @throws InputError where the text is no JSON, or has a number beyond float64.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& file);

}  // namespace crrm
