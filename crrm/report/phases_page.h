// A report of crrm phases as one page that needs no network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// The verdicts side by side, then for each set-up and control its information planes, one a
/// channel, with a slider over epochs, and the numbers that the verdict rests on. Axes of channels
/// that were added for the analysis say "clustering index", whatever the report calls them.
/// @throws InputError where validate(report, phases_keys(), ...) does, and where curves differ in
/// length from the epochs.
std::string phases_page(const nlohmann::ordered_json& report);

}  // namespace crrm
