// How many directions a matrix uses: measures of its singular values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// Squared singular values of a matrix.
struct Spectrum {
  at::Tensor squares;  ///< [min(n, d)] float64, descending; what is rounding is 0
  int64_t rows = 0, columns = 0;
};

/// From the smaller Gram matrix; squares below max(n, d) machine epsilons of the largest are 0.
/// @param x [n, d] of any floating type and device. Nothing is centred: subtract the mean where the
///          spectrum of a covariance is meant.
/// @throws InputError where x is no matrix, is empty, or has values that are not finite
Spectrum spectrum(const at::Tensor& x);

/// exp(H(p)) with p the singular values (not squared) over their sum; 1 to min(n, d).
/// Refused where the matrix is zero, as the next two.
/// Source: Roy & Vetterli, The effective rank, EUSIPCO 2007, definition 1.
Estimate effective_rank(const Spectrum& spectrum);

/// |X|_F^2 / |X|_2^2; 1 to min(n, d).
/// Source: Rudelson & Vershynin, Journal of the ACM 54 (4), 21 (2007), section 1.
Estimate stable_rank(const Spectrum& spectrum);

/// The fewest singular directions that hold a part of |X|_F^2.
/// @param part in (0, 1]
Estimate energy_rank(const Spectrum& spectrum, double part = 0.9);

enum class SampledAxes {
  none,  ///< the matrix is all there is: the plain ratio of its own covariance
  rows,  ///< rows are samples of a distribution
  both   ///< and columns a sample of features, as recorded neurons are
};

/// (tr S)^2 / tr S^2 of the covariance S of the rows: a soft count of its eigenvalues. The plain
/// ratio of n samples of d features is biased low, to about 1 / (1 / n + 1 / d + 1 / PR); averages
/// over distinct rows (and columns), in which the mean drops out, leave numerator and denominator
/// without bias.
/// @param x [n, d] of any floating type and device
/// @throws InputError as `spectrum`
/// Refused: fewer than 4 rows (2 for `none`) or 2 columns, no variance, or where the unbiased
/// denominator is not positive. `none` says `too few samples` where n is below ten times the ratio.
/// Source: Chun, Canatar, Chung, Lee, Estimating Dimensionality of Neural Representations from
/// Finite Samples, ICLR 2026, sections 2 to 4.
Estimate participation_ratio(const at::Tensor& x, SampledAxes sampled = SampledAxes::rows);

}  // namespace crrm
