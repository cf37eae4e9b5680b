// One training run: with a budget it compresses (gates, ramp, cut), without one it only trains.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crrm/base/progress.h"
#include "crrm/data/loader.h"
#include "crrm/io/safetensors.h"
#include "crrm/train/gated_network.h"
#include "crrm/train/optimizer.h"
#include "crrm/train/schedule.h"
#include "crrm/train/task.h"

namespace crrm {

struct RunOptions {
  int64_t epochs = 20;
  int64_t batch = 128;
  int64_t evaluation_batch = 500;
  uint64_t seed = 0;
  at::Device device = at::kCPU;
  ScheduleOptions schedule;
  OptimizerOptions optimizer;
  Augmentation augmentation;
  GateOptions gates;
  int64_t probe_every = 10;    ///< most steps between two looks at the Fisher information
  int64_t control_every = 25;  ///< most steps between two settings of the water level
  int64_t calibration_batches = 50;
  double save_every_seconds = 300;
  std::vector<Limit> limits;       ///< all are kept
  std::optional<double> max_drop;  ///< of the metric on held-out data: no further than that
  bool knee = false;  ///< as far as the shortest description (train/descent.h); without limits
  double observe_every = 0.015;  ///< share of the run between two looks at the drop
  double average_over = 0.01;    ///< share of the run that the weights' average looks back

  /// Whether how small the network becomes is found on the way.
  bool descends() const { return max_drop || knee; }
  bool compresses() const { return !limits.empty() || descends(); }
};

struct RunData {
  Dataset train, held_out, test;
  Normalisation normalisation;
};

/// A network on the way, and its metric.
struct Stage {
  std::string name;  ///< dense, masked, cut, recalibrated, final
  Graph graph;       ///< without nodes where masked: that is the next stage's, at the original size
  Evaluation held_out;
  std::optional<Evaluation> test;  ///< read once, when the run is over
};

struct RunResult {
  std::vector<Stage> stages;
  /// On held-out data: what losses are measured from where RunOptions::descends.
  std::optional<Evaluation> reference = {};
  std::vector<bool> alive;                ///< units of the network that came in
  nlohmann::ordered_json curve;           ///< the report's `curve`
  std::map<std::string, double> seconds;  ///< train, probe, evaluate, total
};

/// Whom a run tells what it does. All may be empty.
struct RunObserver {
  std::function<void(const ProgressState&)> progress;
  std::function<void(int64_t step, double loss)> step;
  std::function<void(const nlohmann::ordered_json&)> log;
  std::function<void(const TensorFile&)> save;
  /// The network without gates, after so many epochs; 0: before the first step.
  std::function<void(int64_t epoch, const Graph&)> epoch;
};

class Run {
 public:
  /// @param network  what is trained: shape arithmetic folded, BatchNormalization unfolded
  /// @param dense    the network as it came; `task` and `data` outlive the run
  Run(const Graph& network, const Graph& dense, const Task& task, const RunData& data,
      RunOptions options);
  ~Run();

  /// The network as it came, on the held-out data; computed once.
  Evaluation dense();

  /// Continues from a checkpoint, bit for bit. @throws InputError where it holds no such state.
  void resume(const TensorFile& checkpoint);

  /// Trains to the end and reads the test data once.
  /// @throws Interrupted (after a checkpoint), GoalError when the loss is not finite any more.
  RunResult train(const RunObserver& observer);

  /// What is known so far, for the report of a run that ended early.
  RunResult so_far() const;

  const GatedNetwork& network() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace crrm
