// Predictions as distributions: over classes, or normal around the output.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// KL(target || own), nats, mean over all distributions.
/// @param target, own  logarithms of probabilities, [..., K] along `axis`
at::Tensor divergence(const at::Tensor& target, const at::Tensor& own, int64_t axis);

/// log p of one class drawn from each distribution, summed over all.
/// @param log_p  logarithms of probabilities, [..., K] along `axis`
at::Tensor sampled_log_likelihood(const at::Tensor& log_p, int64_t axis, uint64_t seed);

/// y g, summed over all, with g drawn from N(0, 1), the same on every device: the gradient is the
/// score of a normal distribution of variance 1 around y.
at::Tensor normal_projection(const at::Tensor& y, uint64_t seed);

}  // namespace crrm
