// Intrinsic dimension from linear separability: a second opinion that rests on angles over the
// whole set.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// FisherS: points are centred, reduced to the principal components whose variance is at least a
/// tenth of the largest, whitened and put on the unit sphere. p(a) is the share of ordered pairs
/// with x . y >= a; the dimension is that of a uniform sphere with the same p, at the a of 0.6,
/// 0.62, .., 0.98 that is nearest to 0.9 of the largest one where p > 0. Interval: none. Too high
/// on curved sets, and one number for all. Refuses where all pairs are separable (too few samples
/// for the dimension), marks fewer than 100 different points.
/// @param points [n, d] floating point, finite
/// Source: Albergante, Mirkes, Bac, Chen, Martin, Faure, Barillot, Pinello, Gorban, Zinovyev, IJCNN
/// 2019, eqs. 5 and 6.
Estimate separability_dimension(const at::Tensor& points);

/// Dimension n of the uniform sphere with (1 - a^2)^((n - 1)/2) / (a sqrt(2 pi n)) = p.
/// @param inseparable p > 0   @param threshold a in (0, 1)
double dimension_of_separability(double inseparable, double threshold);

}  // namespace crrm
