// The state of a run, for the files that make it up: run.cpp, run_compression.cpp and
// run_checkpoint.cpp.
#pragma once

#include <chrono>

#include "crrm/train/budget.h"
#include "crrm/train/evaluator.h"
#include "crrm/train/run.h"

namespace crrm {

// Streams of random numbers that must not coincide.
enum Stream : uint64_t { kGateNoise = 1, kProbeDraws = 2 };

/// Adds the seconds of its scope to a total.
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += seconds(); }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double& total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Of the training data: shuffled, augmented, whole batches.
LoaderOptions loader_options(const RunData& data, const RunOptions& options);

class Run::State {
 public:
  State(const Graph& network, const Graph& dense, const Task& task, const RunData& data,
        RunOptions options);

  void resume(const TensorFile& checkpoint);
  RunResult train(const RunObserver& observer);
  Evaluation dense();
  RunResult so_far() const {
    return {.stages = stages_,
            .reference = descent_ ? descent_->reference() : std::nullopt,
            .alive = network.alive(),
            .curve = curve_,
            .seconds = seconds_};
  }

  GatedNetwork network;

 private:
  bool compresses() const { return options_.compresses(); }
  int64_t total_steps() const { return options_.epochs * loader_.steps(); }
  int64_t step() const { return epoch_ * loader_.steps() + step_in_epoch_; }
  double share() const { return static_cast<double>(step()) / static_cast<double>(total_steps()); }

  // run.cpp: training, and what it says on its way.
  void go_on();
  void train_epoch();
  void train_step(const Batch& batch);
  void end_epoch();
  void keep_epoch() const;
  void record(double loss, double rate, std::optional<double> held_out);
  void report_progress();
  void add_stage(const std::string& name, const Graph& graph);
  void add_stage(Stage stage);
  bool has_stage(const std::string& name) const;
  void stop_unless_finite() const;
  [[noreturn]] void diverged(const std::string& expected, const std::string& found) const;

  // run_compression.cpp: how the network becomes smaller.
  void require_reachable() const;
  void settle_intervals();
  void begin_descent();
  std::vector<Limit> goal() const { return budget_.goal(share(), descent_ ? &*descent_ : nullptr); }
  bool ramp_over() const { return share() >= options_.schedule.ramp_end; }
  void compress_step(const Batch& batch);
  void probe(const Batch& batch);
  bool control_due() const;
  void control();
  void look();
  void roll_back();
  void compact();
  void recalibrate(const Graph& graph, const at::Tensor& gates, int64_t most, int64_t epoch) const;
  void cut_gates();

  // run_checkpoint.cpp: its state as a file, and back.
  TensorFile weights() const;
  void load_weights(const TensorFile& file);
  TensorFile checkpoint() const;
  void save();

  const Task& task_;
  const RunData& data_;
  RunOptions options_;
  Stage dense_;
  const Budget budget_;
  const Evaluator evaluator_;
  Loader loader_;
  Optimizer optimizer_;
  int64_t epoch_ = 0, step_in_epoch_ = 0;
  bool ramp_done_ = false, cut_done_ = false;
  std::optional<double> controlled_;  ///< share of the run at which units closed last, or could
  bool look_pending_ = false;         ///< this step's probe is done, and its look is not
  std::vector<Stage> stages_;
  nlohmann::ordered_json curve_ = nlohmann::ordered_json::array();
  double loss_sum_ = 0;
  int64_t loss_count_ = 0;
  double last_metric_ = -1;
  std::optional<Descent> descent_;
  std::map<std::string, double> seconds_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  const RunObserver* observer_ = nullptr;
};

}  // namespace crrm
