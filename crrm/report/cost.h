// What a run and its model cost, in words.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crrm/report/comparison.h"

namespace crrm {

// Both take a report that validate() accepts.

/// "Took 1 h 02 min, 1.94 core-hours, 182 kJ, price 0.52." Without what is not known.
std::string cost_sentence(const nlohmann::ordered_json& report);

/// A row for each way of running the model: what a million samples cost at each stage.
std::vector<ComparisonRow> inference_rows(const nlohmann::ordered_json& report);

}  // namespace crrm
