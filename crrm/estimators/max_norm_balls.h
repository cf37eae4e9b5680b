// Balls of the maximum norm around samples of a pair (X, Y), which the k-nearest-neighbour
// estimates of mutual information count in.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace crrm {

enum class Boundary {
  open,  ///< x, y count points nearer than the k-th neighbour
  tied   ///< and one more, or, where distances to the k-th neighbour tie, all as near
};

/// One entry a sample; the sample itself is never counted.
struct BallCounts {
  std::vector<int64_t> joint;  ///< samples as near as the k-th neighbour, or nearer: k without ties
  std::vector<int64_t> x, y;   ///< samples within that radius in X, in Y
  /// Intrinsic dimension at the radius, from the ratios of the k distances (harmonic mean); 0 where
  /// k = 1 or all are equal. Source: MacKay & Ghahramani (2005) on Levina & Bickel (2004).
  double dimension = 0;
};

/// The radius of sample i is the distance max(|x_i - x_j|, |y_i - y_j|) to its k-th neighbour.
/// Distances that differ by rounding only, 1e-12 of them, are equal. O(n^2 (dx + dy)) time, O(n (dx
/// + dy)) memory.
/// @param x [n, dx], y [n, dy] float64, finite   @param k  in [1, n - 1]
BallCounts count_in_balls(const at::Tensor& x, const at::Tensor& y, int64_t k, Boundary boundary);

/// The same for labels: the k-th neighbour has the sample's own label, `joint` counts in the label,
/// `x` in all, and `y` holds the sizes of the labels. A label of m < k + 1 samples takes k = m - 1;
/// a sample that is alone in its label has joint = 0.
/// @param x [n, dx] float64, finite   @param labels [n] int64
BallCounts count_in_label_balls(const at::Tensor& x, const at::Tensor& labels, int64_t k);

}  // namespace crrm
