// Activations of a network on a dataset, layer by layer: never more in memory than a budget says.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "crrm/activations/layers.h"
#include "crrm/data/dataset.h"
#include "crrm/data/normalisation.h"

namespace crrm {

struct CaptureOptions {
  int64_t batch = 100;                ///< samples that go through the network at once
  int64_t memory = int64_t{2} << 30;  ///< bytes of activations that are held at once
  /// Folder of the unnamed file that takes a layer of more bytes than that; empty: the system's.
  std::filesystem::path spill = {};
  at::Device device = at::kCPU;  ///< where the network computes
};

/// The layers of each pass over the data: as many in a row as the budget holds, one at least.
std::vector<std::vector<Layer>> plan_passes(const std::vector<Layer>& layers, int64_t samples,
                                            int64_t memory);

/// Shows each layer to `visit`, in order, with its activations [n, features] float32, n all samples
/// of `data` in their order. They are freed when `visit` and whoever else holds them let go; a
/// layer that alone exceeds the budget lies in a mapped file.
/// @param network  one input; takes any batch
/// @throws InputError where a layer holds no floating-point numbers; WriteError where the file of a
/// layer finds no room; Interrupted between batches.
void for_each_layer(const Graph& network, const std::vector<Layer>& layers, const Dataset& data,
                    const Normalisation& normalisation, const CaptureOptions& options,
                    const std::function<void(const Layer&, const at::Tensor& activations)>& visit);

}  // namespace crrm
