// Removing units for good, and showing that nothing was broken.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// The smaller network: every parameter loses the rows and columns of the units that are not alive,
/// and branches that have none left leave (surgery/fold.h).
/// @param graph  the network that `coupling` describes
/// @param alive  [coupling.size()]; an axis is empty only where it may (coupling/removal.h)
/// @throws InternalError when a shape is not what the living units say.
Graph cut(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive);

/// A copy in another floating-point type (float64 for proofs).
Graph to_type(const Graph& graph, at::ScalarType type);

/// max |a - b|, and that over max(1, max |a|), over all outputs.
struct Difference {
  double absolute = 0, relative = 0;
};
/// NaN anywhere makes both infinite. @throws InternalError when the shapes differ.
Difference difference(const Tensors& a, const Tensors& b);

}  // namespace crrm
