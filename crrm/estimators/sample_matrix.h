// Samples in rows, as the estimators take them.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// x [n, d] as float64 on the CPU.
/// @throws InputError where x is no matrix, is empty, or has values that are not finite
at::Tensor sample_matrix(const at::Tensor& x);

}  // namespace crrm
