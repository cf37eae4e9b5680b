// A lower bound on I(T;Y) by what a classifier says about samples that it was not fitted to.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// <ln q(y|t) - ln p(y)> = H(Y) - cross-entropy, p the labels' frequencies. In expectation at most
/// I(T;Y) for any q that was not fitted to these samples; below 0 where q is worse than none.
/// Interval: 95 %, by the central limit theorem; `too_few_samples` (the number stays) where all of
/// it is below 0.
/// @param log_probabilities [n, K], nats, each row normalised   @param labels [n] int64 in [0, K)
/// @throws InputError where shapes or labels do not fit, or rows do not sum to 1
/// Source: Barber & Agakov, NeurIPS 2003, eq. 3.
Estimate held_out_information(const at::Tensor& log_probabilities, const at::Tensor& labels);

/// The same of activations: multinomial logistic regression with a unit normal prior on the weights
/// of whitened columns, fitted to each half of the samples and read on the other. It is mixed with
/// the labels' frequencies, by a weight that the half alone decides (cross-fitted inside it), so
/// that a classifier that fits too well cannot say much less than nothing. Refuses (too few
/// samples) fewer than 8.
/// @param t [n, d] finite   @param seed  of the halves
/// @throws InputError where the labels do not fit
Estimate held_out_information(const at::Tensor& t, const at::Tensor& labels, uint64_t seed);

/// Maximum a posteriori, by accelerated gradient steps of 1 / L, L a bound on the curvature.
/// @param t [n, d] float64, labels [n] int64 in [0, classes)   @param unseen [m, d]
/// @return [m, classes] log-probabilities
/// Source: Bohning, Ann. Inst. Stat. Math. 44, 197 (1992), for L; Nesterov (1983).
at::Tensor logistic_log_probabilities(const at::Tensor& t, const at::Tensor& labels,
                                      int64_t classes, const at::Tensor& unseen);

}  // namespace crrm
