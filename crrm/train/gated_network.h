// A network under compression: gates at every reader, their law from the Fisher information, and
// the closed units cut away while training still runs.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crrm/criteria/criterion.h"
#include "crrm/graph/executor.h"

namespace crrm {

struct GateOptions {
  std::string method = "crrm";  ///< name of the criterion
  CriterionOptions criterion{};
  Pricing pricing{};
  Rounding rounding{};
};

class GatedNetwork {
 public:
  /// @param graph   without gates, shape arithmetic folded; its parameters are copied
  /// @param sample  shapes of one sample of each input; empty: as in the file
  /// @param device  where it computes; what is known of the units stays on the CPU
  GatedNetwork(const Graph& graph, const std::vector<Shape>& sample, const GateOptions& options,
               at::Device device = at::kCPU);

  int units() const { return coupling_.size(); }
  const Coupling& coupling() const { return coupling_; }
  const CostModel& cost_model() const { return cost_; }
  Cost cost() const { return cost_(alive_); }
  const std::vector<bool>& alive() const { return alive_; }
  double beta() const { return beta_; }  ///< nats; 0 where scores are no Fisher information
  const at::Tensor& distortion() const { return distortion_; }  ///< [units] float64; 1 where closed
  const Criterion& criterion() const { return *criterion_; }
  /// Of the smallest network that the rounding leaves.
  Cost smallest() const { return smallest_cost(coupling_, cost_, rounding_); }

  /// The network as it is now, with gates, on its device: what has been cut away is gone.
  const Graph& gated() const { return current_; }
  /// The same without gates. Shares the parameters.
  Graph plain() const;
  /// The network at its original size, with gates, and in its places the parameters of `small`,
  /// which has the units of the current network. On the CPU.
  Graph whole(const Graph& small) const;

  /// Runs the network. @param gates  [N or 1, units + 1], from `draw` or `hard_gates`; undefined:
  /// the network without gates
  Tensors run(const Tensors& inputs, const at::Tensor& gates, bool training) const;
  /// Training gates of a batch; the draw depends on `seed` alone. Undefined when every gate of the
  /// current network is one.
  at::Tensor draw(int64_t samples, uint64_t seed) const;

  /// Shows the criterion what Criterion::probe asks for.
  /// @param gradients  [N, units + 1]
  void observe(const at::Tensor& gradients) { criterion_->observe(gradients.to(at::kCPU)); }
  /// Closes units until the true cost keeps all limits, and fills the water to that level.
  /// @param end   the limits that these will fall to: units are weighed by what they cost then
  /// @param last  they fall no further: what closes all at once closes now
  void control(const std::vector<Limit>& limits, const std::vector<Limit>& end, bool last);
  void control(const std::vector<Limit>& limits) { control(limits, limits, true); }
  /// What the criterion adds to a training loss until then; undefined: nothing.
  at::Tensor penalty() const { return criterion_->penalty(living()); }
  /// After the loss's backward pass: gates that are learned take a step.
  void learn() { criterion_->learn(); }
  /// Survivors' distortion is multiplied by `factor` in [0, 1] from now on.
  void anneal(double factor) { annealing_ = factor; }

  /// Whether units are closed that are still part of the current network.
  bool can_compact() const { return alive_ != compacted_; }
  /// Cuts the closed units away. Parameters become new tensors. The constant of a branch that
  /// leaves is what inference gives at that moment, and does not learn: the biases behind it do.
  /// @return by parameter, the indices of each axis that stayed, in the old tensor's numbering
  Shrinkage::Kept compact();

  /// What a checkpoint holds, and back. Parameters are those of the current network.
  std::map<std::string, at::Tensor> state() const;
  void load(const std::map<std::string, at::Tensor>& state);

 private:
  void build(const std::vector<bool>& alive);
  LivingNetwork living() const { return {current_, coupling_, cost_, compacted_, alive_}; }

  at::Device device_;
  Graph full_;  ///< gated, original size, on the CPU
  Coupling coupling_;
  CostModel cost_;
  Rounding rounding_;
  std::vector<bool> alive_, compacted_;
  at::Tensor distortion_;
  double beta_ = 0, annealing_ = 1;
  Graph current_;
  std::unique_ptr<Criterion> criterion_;
  std::unique_ptr<Executor> gated_executor_, plain_executor_;
};

/// Takes the gates out of a network.
Graph remove_gates(const Graph& gated);

}  // namespace crrm
