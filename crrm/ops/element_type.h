// Element types as ONNX numbers them.
#pragma once

#include "crrm/graph/graph.h"

namespace crrm {

/// The type with the number `onnx_type` of onnx.TensorProto.DataType.
/// @throws InputError naming the node when it is not numeric.
at::ScalarType element_type(const Node& node, int64_t onnx_type);

}  // namespace crrm
