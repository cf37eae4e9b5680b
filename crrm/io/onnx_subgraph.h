// Graphs inside of nodes (the branches of an If), between ONNX's form, where their nodes name outer
// values, and that of graph/graph.h, where these are inputs.
#pragma once

#include "crrm/graph/graph.h"

namespace crrm::onnx {

/// Makes every output of `graph` the output of a node of its own: an Identity writes those that are
/// constants, outer values, or outputs already.
void write_outputs(Graph& graph);

/// Gives a node and its graphs what the graphs use from outside as inputs.
void capture(Node& node);

/// Brings a network whose graphs are captured into the form of graph/graph.h: their parameters
/// become the network's, and what they use from outside has its name from there.
void lift_parameters(Graph& network);

/// The network as ONNX has it: inner graphs without inputs. No inner name hides an outer one.
Graph without_captures(const Graph& network);

}  // namespace crrm::onnx
