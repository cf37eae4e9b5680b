// Intrinsic dimension from the distances to nearest neighbours: how many coordinates it takes to
// say where a point lies among its neighbours. All assume that the density hardly varies between a
// point and its last neighbour in use, and that samples are independent; dimensions are real
// numbers.
#pragma once

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

/// d = (m - 1) / sum_i ln(r2_i / r1_i), unbiased; the interval is exact where the ratios are
/// independent: d sum_i ln(r2_i / r1_i) is Gamma(m). Neighbourhoods that overlap make it wider, by
/// overlap_inflation, and so the standard error, d / sqrt(m - 2), in the details. Refuses fewer
/// than 3 points, and ratios that are all 1. Source: Facco, d'Errico, Rodriguez, Laio, Sci. Rep. 7,
/// 12140 (2017), eq. 5; maximum likelihood.
Estimate two_nn(const Neighbours& neighbours);

/// 1 / d = mean over points of 1/(k - 1) sum_{j < k} ln(r_k / r_j): the points' estimates combine
/// by their harmonic mean, the only rule for which k - 1 is unbiased. Interval: normal, wider by
/// overlap_inflation.
/// @param k  2 <= k <= neighbours.k(), else refused
/// Source: Levina & Bickel, NIPS 2004, eq. 8; MacKay & Ghahramani, Comments on "Maximum likelihood
/// estimation of intrinsic dimension", 2005.
Estimate levina_bickel(const Neighbours& neighbours, int64_t k);

}  // namespace crrm
