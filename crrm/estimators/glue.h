// Manifold capacity of correlated manifolds (GLUE): all of them are separated at once, so that what
// their centres and axes share counts, and the labels may be given.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "crrm/estimators/estimate.h"

namespace crrm {

struct GlueOptions {
  int64_t directions = 200;  ///< pairs of a Gaussian vector and a dichotomy
  /// [K, P] of 1 and -1, taken in turn; undefined: drawn, half of the manifolds on each side (an
  /// odd one out on either)
  at::Tensor dichotomies = {};
  int64_t project_to = 0;  ///< dimensions of a random projection; 0: none
  uint64_t seed = 0;
};

struct Glue {
  /// alpha, manifolds a dimension: P / E[a] with a = |projection of t onto the cone of signed
  /// points|^2. The interval is that of the directions drawn, not of the points.
  Estimate capacity;
  Estimate dimension;  ///< D = E[b] / P
  Estimate radius;     ///< R = sqrt(E[c] / E[b - c]), relative to the centres; refused where b is 0
  Estimate utility;    ///< Psi = E[c] / E[a]; alpha = Psi (1 + R^-2) / D
  Estimate centre_alignment;       ///< mean |cosine| between the anchors' centres
  Estimate axis_alignment;         ///< mean |cosine| between the anchors' axes of two manifolds
  Estimate centre_axis_alignment;  ///< mean |cosine| between one's centre and another's axis
};

/// For a direction t and a dichotomy y, v is the nearest point to t with y_mu (v . x) >= 0 for all
/// points x of each manifold mu; the anchor s_mu is the mean of its points, weighted by their
/// multipliers. S stacks the anchors [P, N], S_0 their means over directions, S_1 = S - S_0, and
///   a = |t on the rows of S|^2   b = |t on the rows of S_1|^2
///   c = (S_1 t)' (S_0 S_0' + S_1 S_1')^+ (S_1 t).
/// A manifold that holds no constraint in a direction has no anchor there: its rows of S and S_1
/// are zero, and that direction does not count in its row of S_0.
///
/// Planes pass through the origin, and nothing is centred: subtract the global mean first where a
/// bias is to be free. 2,500 points in 1,000 dimensions take below 0.1 s a direction where planes
/// separate them, and seconds where none does.
/// @param manifolds [M_i, N] each, of any floating type and device
/// @throws InputError where shapes differ, values are not finite, or an option is out of range
/// Refused: one manifold, points that are all zero. `saturated` at the floor 2 / M of unrelated
/// points, and where no plane separates most dichotomies.
/// Source: Chou, Kirsanov, Yang, Chung, ICLR 2026 (arXiv 2603.01879), appendix B.3; alignments
/// there are inner products, here cosines. First in Chou, Le, Wang, Chung, ICML 2025 (arXiv
/// 2503.18114).
Glue glue(const std::vector<at::Tensor>& manifolds, const GlueOptions& options = {});

}  // namespace crrm
