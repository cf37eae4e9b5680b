// What the estimates of intrinsic dimension from nearest neighbours share.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

constexpr int64_t kFewPoints = 100;  // below it, the relative error of TwoNN is > 10 %

/// ln(r_n2 / r_n1) [m] float64 >= 0, for 1 <= n1 < n2 <= k.
at::Tensor log_ratios(const Neighbours& neighbours, int64_t n1, int64_t n2);

/// No number yet: unit, samples, assumptions, and duplicates as a detail.
Estimate describe_dimension(const Neighbours& neighbours, std::string measure, std::string source);

Estimate refuse_equal_distances(Estimate estimate);

/// Factor >= 1 on the variance of the mean of one term a point, as terms of points that share
/// neighbours depend on one another: sum_{ij} K_ij t_i t_j over what it would be for independent
/// terms, for centred terms t and K_ij the share of the n2 neighbours that i and j have in common.
/// @param terms [m] float64, each a function of the distances to the point's n2 neighbours
/// Source: Conley, J. Econometrics 92, 1 (1999), with neighbours in place of a distance.
double overlap_inflation(const Neighbours& neighbours, const at::Tensor& terms, int64_t n2);

/// Marks a number from ln(r_n2 / r_n1) that rests on fewer than 100 points (relative error of TwoNN
/// above 10 %); on ratios of which more than 1 % are 1, where there is a density none are; on
/// nearly equal points, where for more than 1 % of the points r_{j+1} > 1000 r_j, at some j < n2,
/// which at a density of dimension d has the probability 1000^{-j d}; or that lies below 0.9, its
/// interval included.
void check_samples(Estimate& estimate, const Neighbours& neighbours, int64_t n1, int64_t n2);

}  // namespace crrm
