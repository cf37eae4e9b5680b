// How an estimate moves when the samples are halved: its sampling error, and how much bias is left.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// An estimate at n samples, seen against those at n/2, n/4, n/8 and n/16.
struct Halving {
  double value = 0;       ///< of all samples
  double error = 0;       ///< standard error of `value`
  double bias = 0;        ///< of `value`, extrapolated: value - bias is what infinitely many give
  double bias_error = 0;  ///< standard error of `bias`

  /// From value to value - bias, and 95 % of their errors (Student's t) on the outside.
  Interval interval() const;
  /// The largest bias that the halvings leave possible: |bias| and the 95 % quantile of its error.
  double largest_bias() const;
  /// The smallest bias that would be seen: significant at 5 %, with a probability of 95 %.
  double resolution() const;
};

inline constexpr int64_t kHalvings = 4;

/// [level][part]: of all samples, of two halves of them, and so on to sixteenths, in random order.
using HalvedEstimates = std::vector<std::vector<double>>;

/// @param n         >= 16 samples
/// @param estimate  of the samples whose rows [m] int64 it is given; all rows come first
HalvedEstimates halved(int64_t n, uint64_t seed,
                       const std::function<double(const at::Tensor& rows)>& estimate);

/// error^2 is the mean over the levels of var(parts) / parts, since the variance falls as 1/n
/// (Holmes & Nemenman, Phys. Rev. E 100, 022404 (2019)). A bias c n^-rate makes the mean of a
/// part's two halves differ from it by c n^-rate (2^rate - 1) 2^(rate level); c is fitted to the
/// four levels by least squares.
/// @param rate  > 0: that of the estimator's bias
Halving extrapolate(const HalvedEstimates& levels, double rate);

}  // namespace crrm
