// Which values of a network are measured.
#pragma once

#include <string>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

/// A value of floating-point numbers with the batch as its first axis.
struct Layer {
  std::string name;      ///< the value's
  std::string op;        ///< operator that writes it; "Input" for an input of the network
  Shape shape;           ///< of one sample
  int64_t features = 0;  ///< numbers in a sample
};

/// What users call a layer: inputs of the network, what each contraction (an operator with
/// multiply-accumulates) reads of data, which is what the one before gave after its normalisation
/// and activation, and outputs of the network. In the network's order.
/// @param sample  shape of one sample of the network's only input
std::vector<Layer> usual_layers(const Graph& network, const Shape& sample);

/// The layers of these names, in the network's order, each once.
/// @param names  of values or of the nodes that write them; * and ? stand for any letters, any one
/// @throws InputError naming the first that fits nothing, with the nearest name, and one that names
/// a value without the batch as its first axis.
std::vector<Layer> find_layers(const Graph& network, const Shape& sample,
                               const std::vector<std::string>& names);

}  // namespace crrm
