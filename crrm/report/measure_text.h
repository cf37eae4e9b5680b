// A report of crrm measure as a table for the terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace crrm {

/// One line a layer of the last checkpoint, at most 100 columns wide: the headline of each family.
/// A letter behind a number says that it is not to be believed as it stands, one in its place that
/// it was refused; the lines below say why.
/// @param report  that validate(report, measure_keys(), ...) accepts
std::string measure_summary(const nlohmann::ordered_json& report);

}  // namespace crrm
