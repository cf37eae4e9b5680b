// Intrinsic dimension over scales: ratios of distances to neighbours of order n1 and 2 n1.
#pragma once

#include <vector>

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

struct GrideProfile {
  std::vector<Estimate> scales;  ///< n1 = 1, 2, 4, .., 64, as far as 2 n1 <= k; the first is TwoNN
  /// Mean over the longest run of at least 3 scales that agree with the next one within 2 standard
  /// errors of independent ratios; of equally long ones the first. Its interval spans those of its
  /// scales. Refused where there is none.
  Estimate plateau;
};

/// Details of a scale: "n1", "n2", "distance" (median to the neighbour n2), "standard_error" (from
/// the Fisher information, times the root of the next), "overlap_inflation".
/// Source: Denti, Doimo, Laio, Mira, Sci. Rep. 12, 20005 (2022), eqs. 4 and 8.
GrideProfile gride(const Neighbours& neighbours);

/// Root d of (m - 1)/d - (n2 - 1) sum l + (n2 - n1 - 1) sum l / (1 - e^{-d l}) for l = ln(r_n2 /
/// r_n1).
/// @param log_ratios [m] float64, l >= 0, not all 0
double gride_root(const at::Tensor& log_ratios, int64_t n1, int64_t n2);

}  // namespace crrm
