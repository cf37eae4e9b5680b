// Squared distances of all pairs of points, tile by tile: one product of matrices in float32 each,
// with rigorous bounds of its rounding, and the exact form in float64 for pairs that these do not
// decide.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace crrm {

/// Rows `row`, `row + 1`, .. against `column`, `column + 1`, ..; a tile on the diagonal has row ==
/// column and holds each of its pairs twice, all others are met once.
struct PairTile {
  int64_t row = 0, column = 0, rows = 0, columns = 0;
  const float* values = nullptr;  ///< [rows, columns]
};

/// Distances are those of the points times a power of two, `scale`, which brings the spread near 1.
class PairTiles {
 public:
  /// @param points [n, d] finite, float32 or float64, contiguous, not all equal. Holds a centred
  /// float32
  ///   copy beside them.
  explicit PairTiles(const at::Tensor& points);

  int64_t size() const { return points_.size(0); }
  double scale() const { return scale_; }

  /// Calls `use` with every tile of the upper triangle. ATen's threads work inside a product, and
  /// are free for `use`.
  void visit(const std::function<void(const PairTile&)>& use) const;

  /// With v = values[r, c] of a tile, i = row + r and j = column + c, the squared distance of i and
  /// j lies in [v + low(i), v + low(i) + 2 (slack(i) + slack(j))].
  float low(int64_t i) const { return low_[static_cast<size_t>(i)]; }
  float slack(int64_t i) const { return slack_[static_cast<size_t>(i)]; }

  /// In float64 from the differences; relative error below (d + 2) 2^-53.
  double squared_distance(int64_t i, int64_t j) const;

 private:
  at::Tensor points_;   // [n, d] as given
  at::Tensor centred_;  // [n, d] float32, scaled
  at::Tensor norms_;    // [n] float32, low_ as a tensor
  std::vector<float> low_, slack_;
  double scale_ = 1;
};

}  // namespace crrm
