// A run that finds on the way how small the network can be: what it is measured by, how fast it
// shrinks, and the state to return to.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "crrm/bottleneck/controller.h"
#include "crrm/io/safetensors.h"
#include "crrm/train/average.h"
#include "crrm/train/task.h"

namespace crrm {

struct DescentOptions {
  std::optional<double> max_drop = {};  ///< of the metric; none: the shortest description
  double every = 0;                     ///< share of the run between two looks
  double deepest = 0;                   ///< log(dense cost / smallest cost)
  double ramp = 1;           ///< share of the run in which that would be reached at full speed
  double average_steps = 1;  ///< that the weights' average looks back
  double blank_loss = 1;     ///< Task::blank_loss of the held-out data
};

/// What is judged is the average of the weights (average.h), masked, on held-out data.
///
/// A drop is counted from the reference: the dense network's metric there, or what the network has
/// when compression begins, if that is less. A network that was trained on the very samples that
/// are held out knows them by heart; having gone on training without them it does not.
///
/// The length of a description is that of the model and that of the labels given the model, each as
/// a share of its range: parameters of the dense network's, and of what the inputs tell (the loss
/// of a network that knows nothing, less what it is when compression begins) what is lost. In that
/// plane the dense network is (1, 0) and none at all (0, 1); their sum is smallest where the curve
/// is farthest below the chord between the two, at its knee. Source of the knee: Satopää, Albrecht,
/// Irwin, Raghavan, "Finding a 'Kneedle' in a haystack", ICDCS workshops 2011.
class Descent {
 public:
  Descent(const Graph& network, DescentOptions options);

  void after_step(const Graph& network) { average_.update(network); }
  void after_cut(const Graph& network, const Shrinkage::Kept& kept) {
    average_.replace(network, kept);
  }

  /// The network as it is now.
  struct Now {
    double time = 0;       ///< share of the run
    double settled = 0;    ///< that at which its units closed last, or could have
    double depth = 0;      ///< log(dense cost / cost)
    double size = 1;       ///< parameters, of the dense network's
    const Graph& network;  ///< with gates
  };
  bool due(double time) const { return time >= next_; }
  /// @param dense     the dense network on held-out data
  /// @param evaluate  a network like `now`'s on held-out data
  void observe(const Now& now, const Evaluation& dense,
               const std::function<Evaluation(const Graph&)>& evaluate);

  /// The goal of log(dense cost / cost).
  double depth(double time) const { return controller_ ? controller_->depth(time) : 0; }
  const std::optional<Evaluation>& reference() const { return reference_; }
  const std::optional<double>& metric() const { return metric_; }  ///< as measured last
  std::optional<double> lowest() const;  ///< that a limit allows the metric
  bool keeps() const { return controller_ && controller_->keeps(); }
  bool astray() const { return controller_ && controller_->astray(); }

  /// The state to return to; empty before there is one.
  void keep(TensorFile state) { good_ = std::move(state); }
  const TensorFile& good() const { return good_; }
  /// Forgets that state and the average: the way down is over.
  void release() {
    good_ = {};
    average_ = WeightAverage();
  }

  /// Puts itself into a checkpoint, and back.
  void save(TensorFile& checkpoint, nlohmann::ordered_json& state) const;
  void load(const TensorFile& checkpoint, const nlohmann::ordered_json& state);

 private:
  void begin();

  DescentOptions options_;
  WeightAverage average_;
  std::unique_ptr<DepthController> controller_;
  std::optional<Evaluation> reference_;
  std::optional<double> metric_;
  double next_ = 0;
  TensorFile good_;
};

/// As Descent says. @param size  parameters, of the dense network's; blank_loss > reference_loss
double description_length(double size, double loss, double reference_loss, double blank_loss);

}  // namespace crrm
