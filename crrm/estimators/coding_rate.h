// Coding rate: nats that samples take when they are coded to a squared error, as if they were
// Gaussian.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// eps^2 of Yu et al. (2020), section 2.2 and Chan et al. (2022): half of a sample's squared norm.
constexpr double kCodingError = 0.5;

/// R = 1/2 ln det(I + d / (n eps^2) Z'Z) in nats, with each sample in Z scaled to norm 1; samples
/// at the origin stay there. At most r / 2 ln(1 + d / (r eps^2)), r = min(n, d), of orthogonal
/// samples or axes.
/// @param x [n, d] of any floating type and device
/// @param squared_error > 0: eps^2, relative to a sample's squared norm
/// @throws InputError where x is no matrix, is empty, has values that are not finite, or eps^2 <= 0
/// Where n <= d and R is within 1 % of that bound it says `saturated`: the samples are orthogonal.
/// Source: Yu, Chan, You, Song, Ma, Learning Diverse and Discriminative Representations via the
/// Principle of Maximal Coding Rate Reduction, NeurIPS 2020, eq. 7.
Estimate coding_rate(const at::Tensor& x, double squared_error = kCodingError);

struct CodingRateReduction {
  Estimate rate;    ///< R of all samples
  Estimate within;  ///< R_c = sum_j n_j / (2 n) ln det(I + d / (n_j eps^2) Z_j'Z_j) of the classes
  Estimate reduction;  ///< R - R_c >= 0: what knowing the class saves
  /// What it exceeds that of permuted labels by, which is above 0 only because the samples are few.
  Estimate beyond_chance;
};

/// @param labels [n] integers, any values
/// @param seed   of the permutations
/// R_c and R - R_c say `too few samples` where a class has fewer samples than dimensions, and so
/// spans too few.
/// Source: as `coding_rate`, eq. 8 and 10.
CodingRateReduction coding_rate_reduction(const at::Tensor& x, const at::Tensor& labels,
                                          double squared_error = kCodingError, uint64_t seed = 0);

}  // namespace crrm
