// BatchNormalization taken into the convolution before it, and put back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

bool has_batch_norm(const Graph& graph);

/// A Conv whose only reader is a BatchNormalization in inference becomes one Conv:
///   W' = W g / sqrt(v + e),   b' = (b - m) g / sqrt(v + e) + beta
/// @return the names of the convolutions that took one in.
std::vector<std::string> fold_batch_norm(Graph& graph);

/// Names of the convolutions that an exporter seems to have folded one into: those with a bias, in
/// a network without any BatchNormalization, but for the last layers, which have none: what an
/// output says of one sample must not depend on the others. Empty when the network has one.
std::vector<std::string> folded_convolutions(const Graph& graph);

/// Puts a BatchNormalization behind each of `convolutions`, with the statistics of its own input on
/// `inputs`, gamma = sqrt(v + e) and beta = m: the function does not change.
/// @param inputs  [B, ...] a sample of the network's (only) input, large enough for statistics
void unfold_batch_norm(Graph& graph, const std::vector<std::string>& convolutions,
                       const at::Tensor& inputs);

/// Sets the statistics of every BatchNormalization to those of its input over the given batches, in
/// place. While they are taken each layer normalises by its batch.
void recalibrate(const Graph& graph, int64_t batches, const std::function<Tensors(int64_t)>& batch);

}  // namespace crrm
