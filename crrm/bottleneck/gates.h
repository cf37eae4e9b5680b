// Gates at the readers: where a unit's gate is zero at every reader, nothing else in the network
// can see the unit, whatever lies between; so removing it everywhere is exact.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// Name of the input through which the gates' values enter a gated network, and of the gates'
/// domain.
inline constexpr char kGateInput[] = "crrm.gates";
inline constexpr char kGateDomain[] = "crrm";

/// A copy (sharing the parameter tensors) with a Gate before every reader of a unit. Its last input
/// is kGateInput: [N or 1, units + 1], one column a unit and a last one of ones.
Graph insert_gates(const Graph& graph, const Coupling& coupling);

/// The full-size network in plain ONNX: explicit factors of zero and one in place of the gates.
/// @param alive  [coupling.size()]
Graph mask(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive);

/// [1, units + 1]: ones, and zeros for the units that are not alive.
at::Tensor hard_gates(const std::vector<bool>& alive, at::ScalarType type = at::kFloat);

}  // namespace crrm
