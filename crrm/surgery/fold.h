// Branches whose units are all gone leave: what they computed as a constant becomes an operand.
#pragma once

#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

struct Folded {
  Graph graph;           ///< at the original size
  Shrinkage::Kept kept;  ///< coupling.kept, and what stays of the new constants
};

/// The network without the nodes that fold or go when `alive` empties axes (coupling/removal.h).
///   before  y = Add(c, x), where c is the same for all samples and positions
///   after   y = Add("c.constant", x),  a parameter [1, C, 1, ...];  y = x where no parameter
///   shapes
///           c, and c is what the operator leaves x as it is for
/// A constant is what inference computes: a BatchNormalization uses its running statistics.
/// It is operand 0 of what learns its operand 1, so that training takes it for no weight.
/// @throws InternalError where `alive` empties an axis that may not be empty.
Folded fold_branches(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive);

}  // namespace crrm
