// Mutual information of jointly normal variables, from their correlations.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// I(X;Y) = 1/2 ln(det Sx det Sy / det S) = -1/2 sum ln(1 - rho_i^2) over canonical correlations,
/// less its bias: for normal samples ln det of a sample covariance of p columns is too low by
/// p ln(m/2) - sum_{i<p} psi((m - i) / 2), m = n - 1, whatever the covariance. So it is unbiased
/// for every n > dx + dy and may be negative. Few samples widen the interval; they call for no
/// shrinkage, which is biased by nats where n < 10 (dx + dy). Constant columns are dropped.
/// Interval: normal, of variance sum rho_i^2 / n and what independent X, Y would leave.
/// Refuses (out of range) what one of two tests rejects as normal at 1 %, since a copula that is
/// not normal holds more or less information: Mardia's kurtosis of the pair, which sees little
/// where n is near dx + dy, and whether correlations depend on how far from the mean a sample lies,
/// as where the one variable is turned by its length. A pair that passes both may still be none.
/// Refuses n <= dx + dy + 1 and singular covariances.
/// @param x [n, dx], y [n, dy], finite   @return nats
/// @throws InputError if they are no matrices of as many rows, or not finite
/// Source: Kullback, Information Theory and Statistics (1959), ch. 9; bias: Goodman, Ann. Math.
/// Stat. 34, 178 (1963); test: Mardia, Sankhya B 36, 115 (1974).
Estimate gaussian_information(const at::Tensor& x, const at::Tensor& y);

}  // namespace crrm
