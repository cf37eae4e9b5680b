// What width of a bottleneck the data allow, from their intrinsic dimension.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "crrm/estimators/estimate.h"

namespace crrm {

struct BottleneckAdvice {
  int64_t samples = 0;
  int64_t features = 0;             ///< numbers in a sample
  std::vector<Estimate> estimates;  ///< GRIDE over scales, its plateau, FisherS, simplex skewness
  /// Upper end of the dimension's interval, rounded up, at most the features: the least
  /// that gives the samples back.
  std::optional<int64_t> width = {};
  /// 2 width + 1, at most the features: so many smooth coordinates are one-to-one on a set of that
  /// dimension. Source: Sauer, Yorke, Casdagli, "Embedology", J. Stat. Phys. 65 (1991),
  /// theorem 2.3.
  std::optional<int64_t> safe_width = {};
  bool compresses = false;            ///< whether a narrow bottleneck is to be expected to do
  std::vector<std::string> cautions;  ///< why not, or what makes the numbers doubtful
};

/// The dimension is that of GRIDE's plateau, or of TwoNN where there is none. No compression is
/// expected where it is refused or flagged, where the safe width is more than half of the features,
/// or where an estimate by angles differs from it by more than a factor of 1.5 either way.
/// Autoencoders on manifolds of dimension 2, 4 and 8 bear the width out; classifiers need less, and
/// images more (docs/claims.md).
/// @param points  [n, features] floating point, finite
BottleneckAdvice advise_bottleneck(const at::Tensor& points);

}  // namespace crrm
