// Widths that a machine runs no slower than what is left of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// Opens closed units again where they cost no time: the living units of an axis, or of all axes,
/// are rounded up to a multiple of 16, 8 or 4, the best units first, wherever the latency falls or
/// stays the same and the network still keeps its limits. Closes nothing. Axes without a living
/// unit stay so.
/// @param alive    [coupling.size()]
/// @param score    [units]: what opens first is largest; equal counts of blocks are kept
/// @param latency  of the network that living units leave, in any unit (CostModel, LatencyModel)
/// @param allowed  whether that network keeps every limit
/// @return [coupling.size()]
std::vector<bool> rounded_up(const Coupling& coupling, const std::vector<bool>& alive,
                             const at::Tensor& score,
                             const std::function<double(const std::vector<bool>&)>& latency,
                             const std::function<bool(const std::vector<bool>&)>& allowed);

}  // namespace crrm
