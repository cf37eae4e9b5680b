// What the estimates of intrinsic dimension from nearest neighbours share.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

constexpr double kNormal95 = 1.959963984540054;  // two-sided 95 % of a normal law

/// ln(r_n2 / r_n1) [m] float64 >= 0, for 1 <= n1 < n2 <= k.
at::Tensor log_ratios(const Neighbours& neighbours, int64_t n1, int64_t n2);

/// No number yet: unit, samples, assumptions, and duplicates as a detail.
Estimate describe_dimension(const Neighbours& neighbours, std::string measure, std::string source);

Estimate refuse_equal_distances(Estimate estimate);

/// Marks a number that rests on fewer than 100 points (relative error of TwoNN above 10 %), or on
/// ratios of which more than 1 % are 1: where there is a density, none are.
/// @param log_ratios [m] float64
void check_samples(Estimate& estimate, const at::Tensor& log_ratios);

}  // namespace crrm
