// What estimators from nearest neighbours read where the truth is known and points are few: m
// points on a sphere, whose density is constant but whose neighbours are far when the dimension is
// high.
#pragma once

#include "crrm/estimators/estimate.h"

namespace crrm {

/// (psi(n2) - psi(n1)) / E ln(r_n2 / r_n1) for m independent uniform points on the d-dimensional
/// unit sphere in d + 1 dimensions; d itself as m grows. In closed form up to a quadrature: r_n is
/// the n-th of m - 1 draws from F(r), so E ln(r_n2 / r_n1) = int sum_{n1 <= j < n2} P(Binomial(m -
/// 1, F(r)) = j) d ln r.
/// @param dimension >= 1   @param points  m > n2
double sphere_reading(double dimension, double points, int64_t n1, int64_t n2);

/// Marks as out of range a number below which neighbours are too far: where m points of a sphere of
/// more than 1.1 times the dimension would give it. Adds that dimension as the detail
/// "sphere_dimension".
void check_range(Estimate& estimate, int64_t n1, int64_t n2);

}  // namespace crrm
