// From the operator definitions of an older opset to those of kOpset.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "crrm/graph/graph.h"

namespace crrm::onnx {

/// What a file says of a value, as far as it does.
struct ValueFacts {
  std::optional<int64_t> rank;
  std::optional<at::ScalarType> type;
};
using Facts = std::unordered_map<std::string, ValueFacts>;

/// Rewrites every node of ONNX's own domain from `opset` (6 to 21) to kOpset. Attributes that have
/// become inputs become parameters.
/// @param facts  of intermediate values (value_info); ports and parameters need none
/// @throws InputError naming the node that opset 21 cannot express.
void upgrade(Graph& graph, int64_t opset, Facts facts);

}  // namespace crrm::onnx
