// What estimators from nearest neighbours read where the truth is known and points are few: m
// points on a sphere, whose density is constant but whose neighbours are far when the dimension is
// high.
#pragma once

#include <vector>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// sum_i w_i ln(r_{j+1} / r_j), j = first + i: the statistic of a point that an estimator averages.
struct LogRatioSum {
  int64_t first = 1;
  std::vector<double> weights;
};

/// ln(r_n2 / r_n1), as TwoNN and GRIDE have it.
LogRatioSum ratio_between(int64_t n1, int64_t n2);

/// sum_{j < k} ln(r_k / r_j), as Levina-Bickel has it.
LogRatioSum mean_ratio_to(int64_t k);

/// sum_i w_i / j by the statistic's mean for m independent uniform points on the d-dimensional unit
/// sphere in d + 1 dimensions; d itself as m grows. In closed form up to a quadrature: r_n is the
/// n-th of m - 1 draws from F(r), so E ln(r_{j+1} / r_j) = int P(Binomial(m - 1, F(r)) = j) d ln r.
/// @param dimension >= 1   @param points  m > the last j + 1
double sphere_reading(double dimension, double points, const LogRatioSum& statistic);

/// Brings in what is known of the bias. The dimension of the sphere of which m points would give
/// this number becomes the detail "sphere_dimension", and the interval's upper end rises by as
/// much, up to the features. Marks as out of range a number below that dimension by more than a
/// tenth (its neighbours are too far), above every sphere's, or above the features, its interval
/// included.
/// @param features  0 where they are not known
void check_range(Estimate& estimate, int64_t features, const LogRatioSum& statistic);

}  // namespace crrm
