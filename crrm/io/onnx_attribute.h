// A node's attribute, from an ONNX file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "crrm/graph/graph.h"
#include "crrm/io/message.h"
#include "crrm/io/onnx_tensor.h"

namespace crrm::onnx {

/// Reads a graph inside of a node.
using BranchReader = std::function<std::shared_ptr<const Graph>(Message)>;

/// @param branch  null where graphs stay opaque: their value is kSubgraph then
/// @return name and value; an absent field of the stated type is 0 or empty, as in protobuf
std::pair<std::string, Attribute> read_attribute(Message message, TensorReader& tensors,
                                                 const BranchReader& branch);

}  // namespace crrm::onnx
