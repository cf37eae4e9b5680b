// The gate's law: reverse water-filling over Fisher information (docs/theory.md).
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// Distortion of each unit at a water level: D_c = min(1, (beta w_c / F_c)^p).
/// @param fisher [C], F_c >= 0: Fisher information of the unit's gate, nats.
/// @param weight [C], w_c > 0: the unit's cost relative to the mean.
/// @param beta   > 0: the water level, nats.
/// @param p      >= 1: 1 charges the rate, infinity would count units.
/// @return [C] float64 in (0, 1]; 1 closes the unit (also where F_c = 0).
/// @throws InputError naming the first index that is out of range or not finite.
/// Source (p = 1, w = 1): Cover & Thomas, Elements of Information Theory, 2nd ed., theorem 10.3.3.
at::Tensor water_fill(const at::Tensor& fisher, const at::Tensor& weight, double beta, double p);

/// Sum over units of 1/2 log(1 / D_c), nats a sample. It bounds I(X;Z) only with the data term
/// added.
double rate_nats(const at::Tensor& distortion);

/// One draw of the gates: z = (1 - D) + sqrt(D (1 - D)) eps, eps ~ N(0, 1).
/// @param distortion [C] float64
/// @param seed       the draw depends on it alone
/// @return [samples, C + 1] float32, the last column ones
at::Tensor draw_gates(const at::Tensor& distortion, int64_t samples, uint64_t seed);

}  // namespace crrm
