// The tables of the page of crrm measure.
#pragma once

#include <string>

#include "crrm/report/measured.h"

namespace crrm {

/// Layers by measures of a family: values with intervals below them. Letters behind what is not
/// sound lead to the reasons, which follow the table. Numbers are those of exact_number().
std::string measure_table(const Measured& measured, const std::string& family, size_t epoch);

/// What each number of the family rests on: samples, and the estimate's details; folded.
std::string detail_table(const Measured& measured, const std::string& family, size_t epoch);

}  // namespace crrm
