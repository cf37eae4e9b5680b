// A channel inside the model: activations on a grid, in training and afterwards.
#pragma once

#include <string>

#include "crrm/graph/graph.h"

namespace crrm {

/// Rounds the output of every node `op` to multiples of `step` > 0 (halves to even): whoever read
/// it reads the rounded value, under the same name. Gradients pass unchanged.
/// The parameters are shared with `graph`.
Graph quantise_after(const Graph& graph, const std::string& op, double step);

}  // namespace crrm
