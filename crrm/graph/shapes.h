// Shapes, found by running the network's own forward on meta tensors: no operator states its shape
// rule twice.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

struct ShapeTable {
  std::unordered_map<std::string, Shape> shapes;  ///< of every value and parameter that is known
  /// Integer values that follow from shapes and constants alone.
  std::unordered_map<std::string, at::Tensor> contents;
  /// Why a value has no shape: the unknown operator it comes from.
  std::unordered_map<std::string, std::string> unknown;

  bool knows(const std::string& value) const { return shapes.contains(value); }
  const Shape& at(const std::string& value) const;
};

/// Shapes of the network's inputs with every dynamic first axis set to `batch`.
/// @param given  shapes without the batch axis, by position; empty: as in the file
/// @throws InputError when another axis is dynamic and not given.
std::vector<Shape> input_shapes(const Graph& graph, int64_t batch,
                                const std::vector<Shape>& given = {});

/// Shapes of all values for the given shapes of the inputs. Behind an unknown operator values stay
/// without one.
/// @throws InputError naming the node whose inputs do not fit it.
ShapeTable infer_shapes(const Graph& graph, const std::vector<Shape>& inputs);

/// Replaces shape arithmetic that does not depend on the batch by constants, and an If that it
/// decides by the nodes of its branch (graph/branches.h); the target of a Reshape that does gets 0
/// (copied) or -1 (inferred) in place of the batch, that of an Expand 1. Shuffles that are written
/// by reshapes become plain (graph/shuffle.h).
/// @param sample  shapes of one sample of each input (no batch axis); empty: as in the file
void fold_shape_arithmetic(Graph& graph, const std::vector<Shape>& sample = {});

}  // namespace crrm
