// Projections onto the cone of directions that keep a margin from every point of a set: the
// quadratic program inside manifold capacity, solved on the points' Gram matrix for many
// directions.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// v = t + sum_i a_i y_i s_i, the nearest point to t with y_i (v . s_i) >= kappa for all i.
struct ConeProjection {
  at::Tensor multipliers;  ///< a [T, M] float64, >= 0
  at::Tensor distance;     ///< |v - t|^2 [T] float64
  /// Largest violation of the Karush-Kuhn-Tucker conditions over all directions and points, which
  /// are necessary and sufficient here: kappa - y_i (v . s_i) and -a_i, for s_i of unit norm, and
  /// |a_i (y_i (v . s_i) - kappa)|. In units of t, or of its square.
  double violation = 0;
};

/// Largest violation at which a projection counts as found.
constexpr double kConeTolerance = 1e-8;

/// @param gram      [M, M] float64, s_i . s_j; singular where points are equal or many
/// @param products  [T, M] float64, t . s_i of each direction t
/// @param kappa     >= 0: the margin. Above 0 some v must keep it, else `violation` stays large.
/// @param signs     [T, M] float64, y_i = 1 or -1; undefined: all 1
/// Source: the program is eq. 16 of Chung, Lee, Sompolinsky, Phys. Rev. X 8, 031003 (2018); the
/// method that of Lawson & Hanson, Solving Least Squares Problems (1974), algorithm NNLS.
ConeProjection project_onto_cone(const at::Tensor& gram, const at::Tensor& products,
                                 double kappa = 0, const at::Tensor& signs = {});

}  // namespace crrm
