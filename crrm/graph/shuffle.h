// Shuffles of an axis, written by exporters as Reshape, Transpose, Reshape.
#pragma once

#include "crrm/graph/shapes.h"

namespace crrm {

/// Replaces Reshape [.. c ..] -> [.. p q ..], Transpose of these two axes, Reshape back by a Gather
/// with constant indices: of a split axis only whole rows or columns could go, of a gathered one
/// any index. Source: the channel shuffle of Zhang et al., "ShuffleNet", CVPR 2018, section 3.1.
void replace_shuffles(Graph& graph, const ShapeTable& shapes);

}  // namespace crrm
