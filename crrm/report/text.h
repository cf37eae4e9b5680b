// A report as a plain table for the terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// At most 12 lines, ASCII but for what the report's own texts hold: a headline, the stages side
/// by side and the last one against the first, the goal, the proof, and warnings.
/// @throws InputError where validate() does.
std::string summary(const nlohmann::ordered_json& report);

}  // namespace crrm
