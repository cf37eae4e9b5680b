// The nearest neighbours of every point among the others, which estimates of intrinsic dimension
// and of information rest on.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// Equal points are one point here: m of the n given ones differ.
struct Neighbours {
  at::Tensor distances;    ///< [m, k] float64, Euclidean, ascending, > 0
  at::Tensor indices;      ///< [m, k] int64: rows of the points, those of `rows`
  at::Tensor rows;         ///< [m] int64, ascending: the first of every set of equal rows
  int64_t duplicates = 0;  ///< n - m
  int64_t features = 0;    ///< d; 0 where only distances are known

  int64_t points() const { return distances.size(0); }
  int64_t k() const { return distances.size(1); }
};

/// Exact: distances are those of the differences in float64, whatever the points' offset and scale.
/// Products of matrices in float32 only find candidates, with bounds of their rounding; a point
/// that these leave with too many is compared with every other one. O(n^2 d) time, O(n (d + k))
/// memory.
/// @param points [n, d], floating point
/// @param k      >= 1; at most m - 1 are given
/// @throws InputError if the points are no such table or not finite
Neighbours nearest_neighbours(const at::Tensor& points, int64_t k);

}  // namespace crrm
