// Entropy of activations in bins, and of values that are discrete.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// Bins of each column: as many of equal width as cover the range of all values, or of a width,
/// with an edge at 0. Edges fixed beforehand, such as [-1, 1] under ReLU, would merge what lies
/// outside.
struct BinCount {
  int64_t count = 30;  ///< >= 1
};
struct BinWidth {
  double width = 0;  ///< > 0
};
using Bins = std::variant<BinCount, BinWidth>;

/// Index of each value's bin. @param t [n, d] finite   @return [n, d] int64
/// @throws InputError where a count or width is not positive
at::Tensor bin_indices(const at::Tensor& t, const Bins& bins);

/// H of the rows' joint distribution, plug-in, at most ln n. Interval: 95 % by the delta method.
/// `saturated` above 0.8 ln n, as then most rows are alone in their cell.
/// @param cells [n, d]   @return nats
Estimate entropy_of_rows(const at::Tensor& cells);

/// H(bin T). For a deterministic network this is what papers plot as I(X;T); it depends on the
/// bins.
Estimate binned_entropy(const at::Tensor& t, const Bins& bins);

/// I(T;Y) = H(T) - H(T|Y) of rows that repeat, plug-in, biased upwards by about
/// (different rows - 1)(labels - 1) / 2n. Interval and saturation as for `entropy_of_rows`.
/// @param cells [n, d], labels [n] int64
Estimate label_information_of_rows(const at::Tensor& cells, const at::Tensor& labels);

/// I(bin T; Y).
Estimate binned_label_information(const at::Tensor& t, const at::Tensor& labels, const Bins& bins);

}  // namespace crrm
