// Networks that were exported for a fixed number of samples.
#pragma once

#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

/// Lets a network take any number of samples: axis 0 of its inputs becomes dynamic, and a target
/// shape that states the extent in place of its input's axis 0 leaves it to that.
/// @param sample  shapes of one sample of each input; empty: as in the file
/// @return the extent that the inputs stated; 0 where it was dynamic already
/// @throws InputError naming the output, or the node, that would not follow the batch. What mixes
/// samples is not seen by shapes: compare a batch with its samples one by one.
int64_t free_batch(Graph& graph, const std::vector<Shape>& sample);

/// States the extent again; 0: leaves it dynamic.
void fix_batch(Graph& graph, int64_t batch);

}  // namespace crrm
