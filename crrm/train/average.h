// A running average of the weights: what the network would be worth at a low learning rate.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "crrm/graph/shrinkage.h"

namespace crrm {

/// Exponential average of a network's real parameters, running statistics included. At a high
/// learning rate single weights are noisy and their metric lies points below what the end of the
/// schedule gives; their average is near that. Source: Polyak & Juditsky, SIAM J. Control Optim. 30
/// (1992); Izmailov et al., "Averaging weights leads to wider optima", UAI 2018, section 3.
class WeightAverage {
 public:
  WeightAverage() = default;
  /// Starts at the network's own weights. @param steps  that the average looks back, >= 1
  WeightAverage(const Graph& network, double steps);

  void update(const Graph& network);
  /// After a cut: @param kept  indices that stayed of each axis, as GatedNetwork::compact gives
  void replace(const Graph& network, const Shrinkage::Kept& kept);

  /// A copy of the network, which has changed in its weights alone, with the averages.
  Graph of(const Graph& network) const;

  std::map<std::string, at::Tensor> state() const { return average_; }
  void load(const std::map<std::string, at::Tensor>& state);

 private:
  double fresh_ = 1;  ///< weight of what is new
  std::map<std::string, at::Tensor> average_;
};

}  // namespace crrm
