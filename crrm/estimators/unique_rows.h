// Equal rows of a table, found by hashing.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// First occurrences of the rows of a table, ascending.
/// @param points [n, d] float32 or float64, contiguous. 0 and -0 are equal; NaN is not expected.
/// @return [m] int64, m <= n
at::Tensor unique_rows(const at::Tensor& points);

}  // namespace crrm
