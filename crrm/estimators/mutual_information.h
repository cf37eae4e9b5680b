// Mutual information of two continuous or mixed variables, and of a continuous one with labels,
// from distances to nearest neighbours.
//
// These estimators take the density to be constant in a ball around each sample. Their bias falls
// as n^(-1/D) (Gao, Oh & Viswanath, IEEE Trans. Inf. Theory 64, 5629 (2018), theorem 3) with D the
// dimension of the joint distribution, or as n^(-2/D) where the density is smooth: what halving the
// samples changes, times 1 / (2^(1/D) - 1), is what is still missing. At D = 2 that is 2.4 times
// the change, at D = 20 it is 28 times, and a change too small to be told from sampling error hides
// a large bias. So the samples are halved four times, D is measured from the distances, and the
// larger bias of the two rates counts. Information is the same for normal scores of the columns, so
// what they change is bias too. An estimate is given where (95 %) no bias that remains possible
// exceeds kAccuracy or kRelativeAccuracy of the smallest truth that it leaves, and one that large
// would have been seen (power 95 %); else it is refused (`out_of_range`), and the detail "raw" says
// what it would have been. Sampling error is the interval's business. The rule knows nothing of the
// distribution; at n = 5,000 it lets pass what has D near 2.
// No method can certify more than O(ln n) nats from n samples (McAllester & Stratos, AISTATS 2020);
// above ln n - 2 it is `saturated`.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/estimate.h"

namespace crrm {

inline constexpr double kAccuracy = 0.05;          ///< nats: the bias that is let through
inline constexpr double kRelativeAccuracy = 0.15;  ///< of the information

struct NeighbourOptions {
  int64_t k = 5;      ///< neighbours, >= 2, as D comes from their ratios
  uint64_t seed = 0;  ///< of the halves
};

/// I(X;Y) of continuous X, Y: psi(k) + psi(n) - <psi(n_x + 1) + psi(n_y + 1)>, columns
/// standardised, constant ones dropped; not clipped at 0. Interval: from the estimate to the one
/// without its extrapolated bias, widened by 95 % of the sampling error (`extrapolate`), and to the
/// estimate from normal scores. Refuses tied values (more than kTiedShare of a column), naming
/// mixed_knn, and what has no power.
/// @param x [n, dx], y [n, dy], finite   @return nats
/// @throws InputError if they are no matrices of as many rows, or not finite
/// Source: Kraskov, Stoegbauer & Grassberger, Phys. Rev. E 69, 066138 (2004), eq. 8.
Estimate ksg(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options = {});

/// I(X;Y) where values may repeat (rounded, clipped at 0, discrete in part): the terms of `ksg`,
/// but where several samples are as near as the k-th neighbour, psi(k_i) + psi(n) - psi(n_x) -
/// psi(n_y) with all counts up to and including that distance. Interval, refusals and parameters as
/// `ksg`, but ties are allowed. The paper has ties at distance 0 only, and logarithms for the psi
/// of n_x, n_y. Source: Gao, Kannan, Oh & Viswanath, NeurIPS 2017, algorithm 1.
Estimate mixed_knn(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options = {});

/// I(T;Y) of continuous T and discrete Y: psi(n) + <psi(k_i)> - <psi(n_y)> - <psi(m)>, m counting
/// all samples within the distance to the k-th neighbour of the same label, k_i those of the label.
/// Bounded by H(Y). Interval and refusals as `mixed_knn`, with D that of T.
/// @param t [n, d], labels [n] int64   @return nats
/// Source: Ross, PLoS ONE 9, e87357 (2014), eq. 2.
Estimate ross(const at::Tensor& t, const at::Tensor& labels, const NeighbourOptions& options = {});

/// Repeated values of a column over n, above which `ksg` takes its samples for tied. Values of a
/// density that float32 rounds repeat in less than 0.1 % up to n = 10,000.
inline constexpr double kTiedShare = 0.01;

}  // namespace crrm
