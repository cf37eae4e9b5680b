// How many directions a matrix uses: measures of its singular values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "crrm/estimators/centred_gram.h"
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

/// That of the rows less their mean.
Spectrum spectrum(const CentredGram& gram);

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

}  // namespace crrm
