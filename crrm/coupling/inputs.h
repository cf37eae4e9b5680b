// The network's own inputs as units: pixels or features that nobody needs to read.
#pragma once

#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

/// Puts a Gather of all indices before every contraction that reads the network's input, so that
/// single features can leave while the network's door stays as it is.
/// @param sample  shapes of one sample of each input; empty: as in the file
void gate_inputs(Graph& graph, const std::vector<Shape>& sample);

/// Takes out each Gather that still picks every index in order.
void drop_idle_gathers(Graph& graph, const std::vector<Shape>& sample);

}  // namespace crrm
