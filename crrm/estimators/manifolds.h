// Sets of points, one a class: what the estimators of capacity take in.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace crrm {

/// P manifolds of M_i points in N dimensions, as float64 on the CPU.
class Manifolds {
 public:
  /// @param points [M_i, N] each, of any floating type and device
  /// @throws InputError where there are none, one has no points or another N, or a value is not
  /// finite
  explicit Manifolds(const std::vector<at::Tensor>& points);

  int64_t count() const { return static_cast<int64_t>(sizes_.size()); }  ///< P
  int64_t dimensions() const { return points_.size(1); }                 ///< N
  const std::vector<int64_t>& sizes() const { return sizes_; }           ///< M_i
  int64_t smallest() const;
  int64_t largest() const;
  int64_t duplicates() const;  ///< points equal to another one of their manifold

  const at::Tensor& points() const { return points_; }  ///< [sum M_i, N], manifold after manifold
  std::vector<at::Tensor> split() const;                ///< [M_i, N] each
  at::Tensor centres() const;                           ///< [P, N], the means

  void replace(const at::Tensor& points);  ///< by as many, of any N

  /// A Gaussian projection to `dimensions`, which keeps squared distances in the mean; nothing
  /// where there are no more than that.
  void project(int64_t dimensions, uint64_t seed);

 private:
  at::Tensor points_;
  std::vector<int64_t> sizes_;
};

}  // namespace crrm
