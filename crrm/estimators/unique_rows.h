// Equal rows of a table, found by hashing.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

struct UniqueRows {
  at::Tensor first;  ///< [m] int64: first occurrences, ascending, m <= n
  at::Tensor group;  ///< [n] int64: which of these a row equals
};

/// @param table [n, d] float32, float64 or int64. 0 and -0 are equal; NaN is not expected.
UniqueRows unique_rows(const at::Tensor& table);

}  // namespace crrm
