// Which widths this machine runs fast.
#pragma once

#include "crrm/bottleneck/selection.h"
#include "crrm/measure/graph_timer.h"
#include "crrm/train/verify.h"

namespace crrm {

/// Cuts a network to its limits, with random units, in multiples of 1, 4, 8 and 16, and times what
/// is left.
/// @param network  that `coupling` describes
/// @param inputs   one batch
/// @return the fastest; a larger multiple only where it is faster by a twentieth, as it costs
///         accuracy. 1 where no multiple can keep the limits.
Rounding fastest_rounding(const Graph& network, const Coupling& coupling, const Pricing& pricing,
                          const std::vector<Limit>& limits, const Reversal& reversal,
                          const at::Tensor& inputs, const GraphTimer& time);

}  // namespace crrm
