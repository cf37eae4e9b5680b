// Products of rows about their mean, from which the measures of a covariance follow.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace crrm {

/// Of the rows x_i of a matrix, less their mean; all float64 on the CPU.
struct CentredGram {
  at::Tensor gram;          ///< [min(n, d), min(n, d)]: X X', or X'X where d < n
  at::Tensor square;        ///< [n]: |x_i|^2
  at::Tensor row_square;    ///< [n]: sum_j (x_i . x_j)^2
  at::Tensor row_weighted;  ///< [n]: sum_j |x_j|^2 x_i . x_j
  int64_t rows = 0, columns = 0;
};

/// Takes 32 MiB and a few of the smaller Gram matrix, whatever the size of x: no copy is made.
/// @param x [n, d] of any floating type and device
/// @throws InputError where x is no matrix, is empty, or has values that are not finite
CentredGram centred_gram(const at::Tensor& x);

}  // namespace crrm
