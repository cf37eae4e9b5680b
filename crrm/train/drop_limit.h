// A run that may lose so much of its metric and no more: what it is measured by, how fast the
// network shrinks, and the state to return to.
#pragma once

#include <functional>
#include <optional>

#include "crrm/bottleneck/controller.h"
#include "crrm/io/safetensors.h"
#include "crrm/train/average.h"
#include "crrm/train/task.h"

namespace crrm {

struct DropOptions {
  double allowed = 0;        ///< of the metric
  double every = 0;          ///< share of the run between two looks at it
  double deepest = 0;        ///< log(dense cost / smallest cost)
  double ramp = 1;           ///< share of the run in which that would be reached at full speed
  double average_steps = 1;  ///< that the weights' average looks back
};

/// Judges the average of the weights (average.h), masked, on held-out data. The drop is counted
/// from the reference: the dense network's metric there, or what the network has when compression
/// begins, if that is less. A network that was trained on the very samples that are held out knows
/// them by heart; having gone on training without them it does not.
class DropLimit {
 public:
  DropLimit(const Graph& network, DropOptions options);

  void after_step(const Graph& network) { average_.update(network); }
  void after_cut(const Graph& network, const Shrinkage::Kept& kept) {
    average_.replace(network, kept);
  }

  /// @param time  share of the run
  bool due(double time) const { return time >= next_; }
  /// @param depth     log(dense cost / cost now)
  /// @param dense     the dense network on held-out data
  /// @param network   as it is now, with gates
  /// @param evaluate  a network of that kind on held-out data
  void observe(double time, double depth, const Evaluation& dense, const Graph& network,
               const std::function<Evaluation(const Graph&)>& evaluate);

  /// The goal of log(dense cost / cost).
  double depth(double time) const { return controller_ ? controller_->depth(time) : 0; }
  const std::optional<Evaluation>& reference() const { return reference_; }
  const std::optional<double>& metric() const { return metric_; }  ///< as measured last
  double lowest() const { return reference_->metric - options_.allowed; }
  bool kept() const { return metric_ && *metric_ >= lowest(); }  ///< as measured last
  bool exceeded() const { return controller_ && controller_->slack() < 0; }

  /// The last state that kept the limit, and the time; empty before the first.
  void keep(TensorFile state) { good_ = std::move(state); }
  const TensorFile& good() const { return good_; }

  /// Puts itself into a checkpoint, and back.
  void save(TensorFile& checkpoint, nlohmann::ordered_json& state) const;
  void load(const TensorFile& checkpoint, const nlohmann::ordered_json& state);

 private:
  void begin();

  DropOptions options_;
  WeightAverage average_;
  std::optional<DropController> controller_;
  std::optional<Evaluation> reference_;
  std::optional<double> metric_;
  double next_ = 0;
  TensorFile good_;
};

}  // namespace crrm
