// Predictions as distributions over classes.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// KL(target || own), nats, mean over all distributions.
/// @param target, own  logarithms of probabilities, [..., K] along `axis`
at::Tensor divergence(const at::Tensor& target, const at::Tensor& own, int64_t axis);

/// log p of one class drawn from each distribution, summed over all.
/// @param log_p  logarithms of probabilities, [..., K] along `axis`
at::Tensor sampled_log_likelihood(const at::Tensor& log_p, int64_t axis, uint64_t seed);

}  // namespace crrm
