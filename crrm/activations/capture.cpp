#include "crrm/activations/capture.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "crrm/activations/mapped_tensor.h"
#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/data/loader.h"
#include "crrm/graph/executor.h"

namespace crrm {

namespace {

int64_t bytes_of(const Layer& layer, int64_t samples) {
  return samples * layer.features * static_cast<int64_t>(sizeof(float));
}

/// The part of the network that computes these layers, which are its outputs.
Graph ending_in(const Graph& network, const std::vector<Layer>& layers) {
  Graph part = network;
  part.outputs.clear();
  for (const Layer& layer : layers) part.outputs.push_back({layer.name, at::kFloat, {}, {}});
  drop_unread(part);
  return part;
}

at::Tensor room_for(const Layer& layer, int64_t samples, const CaptureOptions& options) {
  if (bytes_of(layer, samples) > options.memory)
    return mapped_tensor(samples, layer.features, options.spill);
  return at::empty({samples, layer.features}, at::kFloat);
}

/// @return by layer [n, features]
Tensors run_pass(const Graph& network, const std::vector<Layer>& layers, const Dataset& data,
                 const Normalisation& normalisation, const CaptureOptions& options) {
  const Executor executor(to(ending_in(network, layers), options.device));
  Tensors all;
  for (const Layer& layer : layers) all.push_back(room_for(layer, data.size(), options));
  for (int64_t first = 0; first < data.size(); first += options.batch) {
    throw_if_interrupted();
    const int64_t count = std::min(options.batch, data.size() - first);
    const bool channels_last = data.inputs.dim() == 4;
    const Tensors values =
        executor.run({take(data, normalisation, first, count, channels_last).inputs});
    for (size_t l = 0; l < layers.size(); ++l) {
      if (!values[l].is_floating_point())
        throw InputError({.place = fmt::format("layer \"{}\"", layers[l].name),
                          .expected = "floating-point numbers",
                          .found = c10::toString(values[l].scalar_type())});
      all[l].narrow(0, first, count).copy_(values[l].reshape({count, layers[l].features}));
    }
  }
  return all;
}

}  // namespace

std::vector<std::vector<Layer>> plan_passes(const std::vector<Layer>& layers, int64_t samples,
                                            int64_t memory) {
  std::vector<std::vector<Layer>> passes;
  int64_t held = 0;
  for (const Layer& layer : layers) {
    const int64_t bytes = bytes_of(layer, samples);
    if (passes.empty() || held + bytes > memory) {
      passes.emplace_back();
      held = 0;
    }
    passes.back().push_back(layer);
    held += bytes;
  }
  return passes;
}

void for_each_layer(const Graph& network, const std::vector<Layer>& layers, const Dataset& data,
                    const Normalisation& normalisation, const CaptureOptions& options,
                    const std::function<void(const Layer&, const at::Tensor& activations)>& visit) {
  const at::NoGradGuard no_grad;
  for (const std::vector<Layer>& pass : plan_passes(layers, data.size(), options.memory)) {
    Tensors activations = run_pass(network, pass, data, normalisation, options);
    for (size_t l = 0; l < pass.size(); ++l) {
      const at::Tensor own = std::move(activations[l]);
      visit(pass[l], own);
    }
  }
}

}  // namespace crrm
