// Correlation dimension: how the number of pairs within a distance grows with it.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

/// ln(C(r2) / C(r1)) / ln(r2 / r1) for C(r) the number of pairs nearer than r, and r1, r2 the
/// medians of the distances to the 10th and 20th neighbour, as scikit-dimension's CorrInt has it.
/// All pairs are counted, exactly. Interval: none, as pairs share points. Refuses fewer than 21
/// different points.
/// @param points      [n, d] that the neighbours are of   @param neighbours  with k >= 20
/// Source: Grassberger & Procaccia, Physica D 9, 189 (1983), eq. 2.3, at two radii.
Estimate correlation_dimension(const at::Tensor& points, const Neighbours& neighbours);

}  // namespace crrm
