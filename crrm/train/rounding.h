// Which widths this machine runs fast, seen on a network cut to its limits before it is trained.
#pragma once

#include "crrm/bottleneck/selection.h"
#include "crrm/measure/graph_timer.h"
#include "crrm/train/verify.h"

namespace crrm {

/// A network that is to be compressed.
struct Candidate {
  const Graph& network;
  const Coupling& coupling;  ///< of the network
  const Pricing& pricing;
  const std::vector<Limit>& limits;
  const Reversal& reversal;

  /// Whether any width does.
  bool can_keep_limits(Rounding rounding) const;
  /// As it would be written, without random units; as small as it can be where no width keeps the
  /// limits.
  Graph cut_to_limits(Rounding rounding) const;
};

/// Cuts a network to its limits in multiples of 1, 4, 8 and 16, and times what is left.
/// @param inputs  one batch
/// @return the fastest; a larger multiple only where it is faster by a twentieth, as it costs
///         accuracy. 1 where no multiple can keep the limits.
Rounding fastest_rounding(const Candidate& candidate, const at::Tensor& inputs,
                          const GraphTimer& time);

}  // namespace crrm
