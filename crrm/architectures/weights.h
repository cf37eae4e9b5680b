// A network's weights beside its graph, as PyTorch's state_dict in a safetensors file.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "crrm/graph/graph.h"

namespace crrm {

using Weights = std::map<std::string, at::Tensor>;

/// The tensors of a file by their names in the network: without "module." before all of them
/// (torch.nn.DataParallel), and without BatchNormalization's counters, `num_batches_tracked`.
/// @throws InputError as read_safetensors.
Weights read_weights(const std::filesystem::path& path);

/// What training changes: the floating-point parameters of each node that learns, running
/// statistics included; not the limits of a Clip or the target of a Reshape.
Weights weights_of(const Graph& graph);

/// Replaces weights_of(graph), as float32.
/// @param file  where `weights` come from, for errors
/// @throws InputError naming the first tensor that the file lacks, that has another shape or is not
/// of numbers, or that the network lacks.
void set_weights(Graph& graph, const Weights& weights, const std::string& file);

/// @throws WriteError.
void write_weights(const Graph& graph, const std::filesystem::path& path);

}  // namespace crrm
