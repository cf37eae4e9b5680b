// How the centres of manifolds are correlated, and the few directions that they share.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// Mean |cosine| between different centres, in [0, 1].
/// @param centres [P, N] float64, P > 1
double centre_correlation(const at::Tensor& centres);

/// Orthonormal directions [K, N], K <= min(P / 2, P - 2), without which the centres are least
/// correlated: the first K principal axes of the centres, each of unit norm, with the K of the
/// smallest `centre_correlation` of what remains; K = 0 where removing none is best. Centres about
/// their mean span P - 1 directions, so one at least is left to them.
///
/// The directions that Cohen et al. (2020) remove minimise the residual correlations by conjugate
/// gradients on a Stiefel manifold from random starts; the principal axes minimise the sum of
/// squares that the correlations are part of, without a start to choose.
/// @param centres [P, N] float64, P > 1, none at the origin
/// Source: Cohen, Chung, Lee, Sompolinsky, Nature Communications 11, 746 (2020), Methods.
at::Tensor shared_centre_directions(const at::Tensor& centres);

}  // namespace crrm
