// The network as a Graphviz digraph, for `crrm inspect --dot`.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"
#include "crrm/graph/shapes.h"

namespace crrm::cli {

/// Extents of every value at two extents of the batch, by which those that follow it are told.
struct DrawnShapes {
  ShapeTable table;  ///< at kCouplingBatch
  ShapeTable other;  ///< at kOtherBatch

  static constexpr int64_t kOtherBatch = 13;
};

/// Nodes have the colour of the group that most indices of their outputs belong to, and are grey
/// where nothing of their outputs can leave; tooltips name the groups with their units, or say why.
/// Edges are labelled with extents, N for the batch.
/// @param only  name of the one group that gets a colour; empty: all do
std::string draw(const Graph& network, const Coupling& coupling, const DrawnShapes& shapes,
                 const std::string& only);

}  // namespace crrm::cli
