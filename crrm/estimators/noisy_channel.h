// Information through additive normal noise: T = h(X) + N(0, variance I), X uniform over the
// samples.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// Above this share of its ceiling, which no channel from so many samples exceeds, they decide the
/// number.
inline constexpr double kSaturatedShare = 0.8;

/// Of X that takes the n samples with equal probability, so at most ln n nats.
struct NoisyChannel {
  Estimate lower;     ///< Kolchinsky-Tracey with the Bhattacharyya distance, closed form
  Estimate estimate;  ///< Monte-Carlo over the mixture, between the bounds; interval: its
                      ///< Monte-Carlo error (detail "error") alone
  Estimate upper;     ///< Kolchinsky-Tracey with the Kullback-Leibler divergence, closed form
};

struct NoiseDraws {
  int64_t per_sample = 4;  ///< noise vectors a sample, >= 1
  uint64_t seed = 0;
};

/// I(X;T). O(n^2 d (1 + draws)) time, O(n) memory beside a block of rows.
/// Bounds: -<ln <exp(-|h_i - h_j|^2 / (c variance))>_j>_i, c = 8 below and 2 above.
/// Estimate: -<ln <exp((|z|^2 - |t - h_j|^2) / (2 variance))>_j> over t = h_i + z.
/// `saturated` (the number stays) above kSaturatedShare of the entropy of the rows, ln n where all
/// differ. All three are refused (out of range) where float64 cannot tell distances as small as the
/// noise.
/// @param h [n, d] finite: the layer before its noise   @param variance  > 0
/// @throws InputError if h is no such matrix or the variance not positive
/// Source: Kolchinsky & Tracey, Entropy 19, 361 (2017), eqs. 10 and 11; Goldfeld et al., ICML 2019,
/// section 3 ("SP").
NoisyChannel noisy_channel(const at::Tensor& h, double variance, const NoiseDraws& draws = {});

/// I(T;Y) = <ln p(t|y) - ln p(t)> over the same draws, both densities mixtures over the samples: of
/// the label, and of all. A difference of two bounds on I(X;T) would bound nothing. Interval:
/// Monte-Carlo error. `saturated` where I(X;T|Y) is above kSaturatedShare of <ln n_y>, as the noise
/// then tells the samples of a label apart, and any labels would do. Refused as `noisy_channel`.
/// @param labels [n] int64
Estimate noisy_label_information(const at::Tensor& h, const at::Tensor& labels, double variance,
                                 const NoiseDraws& draws = {});

}  // namespace crrm
