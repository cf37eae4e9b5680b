// Samples in rows, as the estimators take them.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// @throws InputError where x is no matrix or is empty
void check_matrix(const at::Tensor& x);

/// x [n, d] as float64 on the CPU.
/// @throws InputError where x is no matrix, is empty, or has values that are not finite
at::Tensor sample_matrix(const at::Tensor& x);

}  // namespace crrm
