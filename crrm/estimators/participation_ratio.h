// How many directions carry variance, corrected for the finite number of samples.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/centred_gram.h"
#include "crrm/estimators/estimate.h"

namespace crrm {

enum class SampledAxes {
  none,  ///< the matrix is all there is: the plain ratio of its own covariance
  rows,  ///< rows are samples of a distribution
  both   ///< and columns a sample of features, as recorded neurons are
};

/// (tr S)^2 / tr S^2 of the covariance S of the rows: a soft count of its eigenvalues. The plain
/// ratio of n samples of d features is biased low, to about 1 / (1 / n + 1 / d + 1 / PR); averages
/// over distinct rows (and columns), in which the mean drops out, leave numerator and denominator
/// without bias. That of sampled rows is at most d; its interval is the jackknife's over rows, of
/// the logarithm.
/// @param x [n, d] of any floating type and device
/// @throws InputError as `spectrum`
/// Refused: fewer than 5 rows (2 for `none`) or 2 columns, no variance, or where the unbiased
/// denominator is not positive beyond rounding. `too few samples`: with `rows`, where the interval
/// spans more than a factor of two; with `none`, where n is below ten times the ratio.
/// Source: Chun, Canatar, Chung, Lee, Estimating Dimensionality of Neural Representations from
/// Finite Samples, ICLR 2026, sections 2 to 4.
Estimate participation_ratio(const at::Tensor& x, SampledAxes sampled = SampledAxes::rows);

/// Of sampled rows, without a copy of them.
Estimate participation_ratio(const CentredGram& gram);

}  // namespace crrm
