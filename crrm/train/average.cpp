#include "crrm/train/average.h"

#include <ATen/core/grad_mode.h>

namespace crrm {

WeightAverage::WeightAverage(const Graph& network, double steps)
    : fresh_(1 / std::max(steps, 1.0)) {
  replace(network, {});
}

void WeightAverage::update(const Graph& network) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : average_) tensor.lerp_(network.parameters.at(name), fresh_);
}

void WeightAverage::replace(const Graph& network, const Shrinkage::Kept& kept) {
  const std::map<std::string, at::Tensor> before = std::move(average_);
  average_.clear();
  for (const auto& [name, tensor] : network.parameters) {
    if (!tensor.is_floating_point()) continue;
    const auto found = before.find(name);
    const auto axes = kept.find(name);
    at::Tensor own = tensor.detach();
    if (found != before.end())
      own = axes == kept.end() ? found->second : take(found->second, axes->second);
    average_[name] = own.clone();
  }
}

void WeightAverage::load(const std::map<std::string, at::Tensor>& state) {
  const at::Device device = average_.empty() ? at::kCPU : average_.begin()->second.device();
  average_.clear();
  // As GatedNetwork lays weights out: other kernels would give other last bits.
  for (const auto& [name, tensor] : state)
    average_[name] = tensor.dim() == 4
                         ? tensor.to(device).contiguous(at::MemoryFormat::ChannelsLast)
                         : tensor.to(device);
}

Graph WeightAverage::of(const Graph& network) const {
  Graph result = network;
  for (const auto& [name, tensor] : average_) result.parameters[name] = tensor;
  return result;
}

}  // namespace crrm
