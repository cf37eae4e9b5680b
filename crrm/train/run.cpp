#include "crrm/train/run.h"

#include <torch/csrc/autograd/autograd.h>

#include <chrono>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/random.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/water.h"
#include "crrm/surgery/batch_norm.h"
#include "crrm/surgery/cut.h"
#include "crrm/train/budget.h"
#include "crrm/train/evaluator.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

// Streams of random numbers that must not coincide.
enum Stream : uint64_t { kGateNoise = 1, kProbeDraws = 2 };

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

/// The first parameter that holds a NaN or an infinity, or "".
std::string first_not_finite(const Graph& graph) {
  for (const auto& [name, tensor] : graph.parameters)
    if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) return name;
  return "";
}

LoaderOptions loader_options(const RunData& data, const RunOptions& options) {
  return {.batch = options.batch,
          .shuffle = true,
          .augmentation = options.augmentation,
          .channels_last = data.train.inputs.dim() == 4,
          .seed = options.seed,
          .drop_last = true,
          .device = options.device};
}

GateOptions gate_options(const RunData& data, const RunOptions& options) {
  GateOptions gates = options.gates;
  const double steps =
      static_cast<double>(options.epochs) *
      std::floor(static_cast<double>(data.train.size()) / static_cast<double>(options.batch));
  const double ramp = options.schedule.ramp_end - options.schedule.ramp_begin;
  gates.criterion.seed = options.seed;
  gates.criterion.ramp_steps = std::max<int64_t>(1, std::llround(ramp * steps));
  return gates;
}

constexpr char kNetwork[] = "network/", kOptimizer[] = "optimizer/";

[[noreturn]] void damaged(const std::string& what) {
  throw InputError({.place = "checkpoint",
                    .expected = "the state of a run",
                    .found = what,
                    .hint = "it is damaged or of another version: start the run again"});
}

}  // namespace

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

  void settle_intervals();
  void require_reachable() const;
  std::vector<Limit> goal() const { return budget_.goal(share(), descent_ ? &*descent_ : nullptr); }
  void begin_descent();
  bool ramp_over() const { return share() >= options_.schedule.ramp_end; }
  bool control_due() const;
  void control();
  void look();
  TensorFile weights() const;
  void load_weights(const TensorFile& file);
  void roll_back();
  void train_epoch();
  void train_step(const Batch& batch);
  void compress_step(const Batch& batch);
  void probe(const Batch& batch);
  void compact();
  void recalibrate(const Graph& graph, const at::Tensor& gates, int64_t most, int64_t epoch) const;
  void cut_gates();
  void record(double loss, double rate, std::optional<double> held_out);
  void report_progress();
  void end_epoch();
  void keep_epoch() const;
  void go_on();
  void save();
  TensorFile checkpoint() const;
  void add_stage(const std::string& name, const Graph& graph);
  void add_stage(Stage stage);
  bool has_stage(const std::string& name) const;
  void stop_unless_finite() const;
  [[noreturn]] void diverged(const std::string& expected, const std::string& found) const;

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
  Json curve_ = Json::array();
  double loss_sum_ = 0;
  int64_t loss_count_ = 0;
  double last_metric_ = -1;
  std::optional<Descent> descent_;
  std::map<std::string, double> seconds_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  const RunObserver* observer_ = nullptr;
};

Run::State::State(const Graph& net, const Graph& dense, const Task& task, const RunData& data,
                  RunOptions options)
    : network(net, {data.train.inputs.sizes().slice(1).vec()}, gate_options(data, options),
              options.device),
      task_(task),
      data_(data),
      options_(std::move(options)),
      dense_{"dense", clone(dense), {}, std::nullopt},
      budget_(options_, network),
      evaluator_(task, data, options_),
      loader_(data.train, data.normalisation, loader_options(data, options_)),
      optimizer_(learned_tensors(network.gated()), options_.optimizer) {
  check(options_.schedule);
  if (loader_.steps() == 0 || options_.epochs < 1)
    throw InputError(
        {.file = data.train.source,
         .place = "training data",
         .expected = fmt::format("at least one batch of {} samples and one epoch", options_.batch),
         .found = fmt::format("{} samples, {} epochs", data.train.size(), options_.epochs),
         .hint = "choose a smaller --batch"});
  if (const std::string name = first_not_finite(net); !name.empty())
    throw InputError({.place = fmt::format("parameter \"{}\"", name),
                      .expected = "finite numbers",
                      .found = "NaN or infinity"});
  settle_intervals();
  require_reachable();
  if (options_.descends()) begin_descent();
}

void Run::State::begin_descent() {
  if (network.units() == 0)
    throw InputError({.place = "units",
                      .expected = "a network of which something can leave",
                      .found = "none: all is kept whole, and crrm inspect says why"});
  if (!network.criterion().gradual())
    throw InputError({.file = fmt::format("--method {}", options_.gates.method),
                      .expected = "a limit on the cost and none on the metric, such as --macs 50%",
                      .found = options_.max_drop ? "--max-drop" : "no limit",
                      .hint = "its units close all at once, so what is lost is not seen before"});
  const ScheduleOptions& schedule = options_.schedule;
  descent_.emplace(
      network.gated(),
      DescentOptions{.max_drop = options_.max_drop,
                     .every = options_.observe_every,
                     .deepest = budget_.deepest(),
                     .ramp = schedule.ramp_end - schedule.ramp_begin,
                     .average_steps = options_.average_over * static_cast<double>(total_steps()),
                     .blank_loss = task_.blank_loss(data_.held_out)});
}

/// A limit that cannot be kept is known before the first step.
void Run::State::require_reachable() const {
  const Cost least = network.smallest();
  if (within(least, options_.limits)) return;
  const at::Tensor ones = at::ones({network.units()}, at::kDouble);
  select(network.coupling(), network.cost_model(), network.alive(), ones, ones, options_.limits,
         options_.gates.rounding);
}

/// A short run controls its budget as often along its ramp as a long one does at least.
void Run::State::settle_intervals() {
  constexpr double kControlsAlongRamp = 20;
  const ScheduleOptions& schedule = options_.schedule;
  const double ramp =
      (schedule.ramp_end - schedule.ramp_begin) * static_cast<double>(total_steps());
  const int64_t most = std::max<int64_t>(1, std::llround(ramp / kControlsAlongRamp));
  options_.control_every = std::min(options_.control_every, most);
  options_.probe_every = std::min(options_.probe_every, most);
}

Evaluation Run::State::dense() {
  if (dense_.held_out.samples == 0) {
    const Stopwatch watch(seconds_["evaluate"]);
    dense_.held_out = evaluator_.plain(dense_.graph, data_.held_out);
  }
  return dense_.held_out;
}

void Run::State::add_stage(const std::string& name, const Graph& graph) {
  const Stopwatch watch(seconds_["evaluate"]);
  add_stage(
      {name, to(clone(graph), at::kCPU), evaluator_.plain(graph, data_.held_out), std::nullopt});
}

void Run::State::add_stage(Stage stage) {
  if (observer_->log)
    observer_->log({{"event", "stage"},
                    {"name", stage.name},
                    {"step", step()},
                    {"held_out", to_json(stage.held_out)}});
  stages_.push_back(std::move(stage));
}

bool Run::State::has_stage(const std::string& name) const {
  return std::any_of(stages_.begin(), stages_.end(),
                     [&](const Stage& stage) { return stage.name == name; });
}

void Run::State::probe(const Batch& batch) {
  const Stopwatch watch(seconds_["probe"]);
  at::Tensor gates =
      hard_gates(network.alive()).expand({batch.inputs.size(0), network.units() + 1}).contiguous();
  gates.requires_grad_(true);
  const Tensors outputs = network.run({batch.inputs}, gates, /*training=*/false);
  for (const at::Tensor& output : outputs)
    if (!at::isfinite(output).all().item<bool>())
      diverged("finite outputs", "NaN or infinity in the network's output");
  const at::Tensor risk = network.criterion().probe() == Criterion::Probe::loss
                              ? task_.loss(outputs, batch)
                              : task_.probe(outputs, mix(options_.seed, kProbeDraws, step()));
  network.observe(torch::autograd::grad({risk}, {gates})[0]);
}

void Run::State::look() {
  constexpr int64_t kLookBatches = 8;
  const Evaluation& whole = dense();
  const Stopwatch watch(seconds_["evaluate"]);
  const double size = static_cast<double>(network.cost().params) /
                      static_cast<double>(budget_.dense(Resource::params));
  descent_->observe({.time = share(),
                     .settled = controlled_.value_or(share()),
                     .depth = budget_.depth(),
                     .size = size,
                     .network = network.gated()},
                    whole, [&](const Graph& averaged) {
                      // Statistics of other weights are none of the average's, and right after
                      // units close not even the network's own: Izmailov et al., 2018, section 3.2.
                      const Graph own = clone(averaged);
                      recalibrate(own, hard_gates(network.alive()), kLookBatches, /*epoch=*/0);
                      return evaluator_.held_out(network, own);
                    });
  look_pending_ = false;
  if (descent_->keeps()) descent_->keep(weights());
  if (!ramp_over()) return;
  if (descent_->astray()) roll_back();
  descent_->release();
}

/// Back to the state to return to; the schedule goes on.
void Run::State::roll_back() {
  if (descent_->good().tensors.empty()) return;
  load_weights(descent_->good());
  if (observer_->log)
    observer_->log({{"event", "rollback"}, {"step", step()}, {"metric", *descent_->metric()}});
}

bool Run::State::control_due() const {
  const bool due = step() % options_.control_every == 0 || ramp_over();
  return due && share() > options_.schedule.ramp_begin && network.criterion().ready();
}

/// Sets what this step may cost, and by that which units are closed. At the end of a ramp that is
/// found on the way, what the last look saw stays.
void Run::State::control() {
  ramp_done_ = ramp_over();
  if (descent_ && ramp_done_) return;
  controlled_ = share();
  const std::vector<Limit> now = goal();
  network.control(now, descent_ ? now : options_.limits, ramp_done_);
}

void Run::State::compress_step(const Batch& batch) {
  const double t = share();
  const bool probes = network.units() > 0 && network.criterion().probe() != Criterion::Probe::none;
  if (!ramp_done_) {
    if (probes && !look_pending_ && step() % options_.probe_every == 0) probe(batch);
    if (control_due()) {
      // Before more units close: what closed last has had time to be learned around.
      look_pending_ = descent_ && (descent_->due(t) || ramp_over());
      if (look_pending_) look();
      control();
    }
  }
  network.anneal(annealing(options_.schedule, t));
  if (ramp_done_ && annealing(options_.schedule, t) == 0) compact();
  if (ramp_done_ && t >= options_.schedule.cut) cut_gates();
}

void Run::State::compact() {
  if (!network.can_compact()) return;
  const Shrinkage::Kept kept = network.compact();
  optimizer_.replace(learned_tensors(network.gated()), kept);
  if (descent_ && !ramp_done_) descent_->after_cut(network.gated(), kept);
}

/// Statistics of batch normalisation from the first batches of an epoch, as in training.
/// @param gates  undefined where `graph` has none
void Run::State::recalibrate(const Graph& graph, const at::Tensor& gates, int64_t most,
                             int64_t epoch) const {
  if (!has_batch_norm(graph)) return;
  Loader batches(data_.train, data_.normalisation, loader_options(data_, options_));
  batches.start(epoch);
  crrm::recalibrate(graph, std::min(most, batches.steps()), [&](int64_t) {
    Tensors inputs = {batches.next()->inputs};
    if (gates.defined()) inputs.push_back(gates);
    return inputs;
  });
}

/// The gates leave: what was masked is now a plain smaller network.
void Run::State::cut_gates() {
  compact();
  const Graph plain = network.plain();
  if (!has_stage("masked"))
    add_stage({"masked", {}, evaluator_.masked(network, plain, data_.held_out), std::nullopt});
  if (!has_stage("cut")) add_stage("cut", plain);
  recalibrate(plain, {}, options_.calibration_batches, epoch_);
  add_stage("recalibrated", plain);
  cut_done_ = true;
  save();
}

void Run::State::train_step(const Batch& batch) {
  if (compresses() && !cut_done_) compress_step(batch);
  const Stopwatch watch(seconds_["train"]);
  const at::Tensor gates =
      network.draw(batch.inputs.size(0), mix(options_.seed, kGateNoise, step()));
  const at::Tensor loss = task_.loss(network.run({batch.inputs}, gates, /*training=*/true), batch);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) diverged("a finite loss", std::isnan(value) ? "NaN" : "infinity");
  optimizer_.zero_grad();
  const bool ramps = compresses() && !ramp_done_;
  const at::Tensor penalty = ramps ? network.penalty() : at::Tensor();
  (penalty.defined() ? loss + penalty : loss).backward();
  optimizer_.step(learning_rate(options_.schedule, share()));
  if (descent_ && ramps) descent_->after_step(network.gated());
  if (ramps) network.learn();
  loss_sum_ += value;
  ++loss_count_;
  if (observer_->step) observer_->step(step(), value);
}

/// Before weights are saved or judged.
void Run::State::stop_unless_finite() const {
  const std::string name = first_not_finite(network.gated());
  if (!name.empty()) diverged("finite weights", fmt::format("NaN or infinity in \"{}\"", name));
}

void Run::State::diverged(const std::string& expected, const std::string& found) const {
  throw GoalError({.place = fmt::format("epoch {}, step {}", epoch_ + 1, step_in_epoch_),
                   .expected = expected,
                   .found = found,
                   .hint = "choose a smaller --learning-rate; the checkpoint is from before"});
}

void Run::State::record(double loss, double rate, std::optional<double> held_out) {
  const int64_t goal_cost =
      compresses() ? binding(network.cost(), goal()).most : budget_.dense(budget_.resource());
  Json point = {
      {"step", step()},
      {"epoch", static_cast<double>(step()) / static_cast<double>(loader_.steps())},
      {"loss", loss},
      {"held_out_metric", held_out ? Json(*held_out) : Json(nullptr)},
      {"averaged_metric", descent_ && descent_->metric() ? Json(*descent_->metric()) : Json()},
      {"lowest_metric", descent_ && descent_->lowest() ? Json(*descent_->lowest()) : Json()},
      {"cost", budget_.now()},
      {"goal_cost", goal_cost},
      {"beta", network.beta()},
      {"rate_nats", rate},
      {"distortion_mean", network.units() == 0 ? 0.0 : network.distortion().mean().item<double>()},
      {"learning_rate", learning_rate(options_.schedule, share())}};
  if (observer_->log) {
    Json line = {{"event", "point"}};
    line.update(point);
    observer_->log(line);
  }
  curve_.push_back(std::move(point));
}

void Run::State::report_progress() {
  if (!observer_->progress) return;
  ProgressState state;
  state.phases = compresses() ? 2 : 1;
  state.phase_index = cut_done_ ? 2 : 1;
  state.phase = !compresses() ? "train" : cut_done_ ? "fine-tune" : "compress";
  state.fraction = share();
  if (last_metric_ >= 0)
    state.metric = fmt::format("{} {:.2f} (dense {:.2f})", task_.metric(), 100 * last_metric_,
                               100 * dense_.held_out.metric);
  if (descent_ && descent_->metric() && !cut_done_)
    state.metric = fmt::format("averaged {} {:.2f} ({} {:.2f})", task_.metric(),
                               100 * *descent_->metric(), descent_->lowest() ? "allowed" : "dense",
                               100 * descent_->lowest().value_or(dense_.held_out.metric));
  if (compresses()) {
    const Cost now = network.cost();  // counted anew each time
    const Resource limited = budget_.resource();
    state.cost = describe(amount(now, limited), limited);
    if (!options_.limits.empty())
      state.cost += " / " + describe(binding(now, options_.limits).most, limited);
  }
  observer_->progress(state);
}

void Run::State::train_epoch() {
  constexpr int64_t kPoints = 8;  // of the curve, an epoch
  const int64_t every = std::max<int64_t>(1, loader_.steps() / kPoints);
  loader_.start(epoch_, step_in_epoch_);
  while (std::optional<Batch> batch = loader_.next()) {
    train_step(*batch);
    ++step_in_epoch_;
    const bool last = step_in_epoch_ == loader_.steps();
    if (step_in_epoch_ % every == 0 && !last) {
      record(loss_sum_ / static_cast<double>(loss_count_), rate_nats(network.distortion()),
             std::nullopt);
      loss_sum_ = 0;
      loss_count_ = 0;
    }
    report_progress();
    const double since =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - last_save_).count();
    throw_if_interrupted();
    if (since > options_.save_every_seconds && !last) save();
  }
}

void Run::State::end_epoch() {
  stop_unless_finite();
  if (compresses() && !cut_done_) compact();
  {
    const Stopwatch watch(seconds_["evaluate"]);
    last_metric_ = evaluator_.held_out(network).metric;
  }
  const double loss = loss_count_ == 0 ? 0.0 : loss_sum_ / static_cast<double>(loss_count_);
  step_in_epoch_ = loader_.steps();
  record(loss, rate_nats(network.distortion()), last_metric_);
  loss_sum_ = 0;
  loss_count_ = 0;
  ++epoch_;
  step_in_epoch_ = 0;
  keep_epoch();
  save();
}

void Run::State::keep_epoch() const {
  if (observer_->epoch) observer_->epoch(epoch_, to(network.plain(), at::kCPU));
}

RunResult Run::State::train(const RunObserver& observer) {
  double total = seconds_["total"];
  observer_ = &observer;
  {
    const Stopwatch watch(total);
    try {
      go_on();
    } catch (const Interrupted&) {
      save();
      throw;
    }
  }
  seconds_["total"] = total;
  RunResult result = so_far();
  if (data_.test.size() > 0) {
    const Stopwatch watch(result.seconds["test"]);
    evaluator_.read_test(network, result.stages);
  }
  return result;
}

/// From wherever it is to its end. Evaluations can be interrupted: what is known when one begins is
/// such that a run resumed from there repeats it.
void Run::State::go_on() {
  if (stages_.empty()) add_stage({"dense", dense_.graph, dense(), std::nullopt});
  if (step() == 0) {
    keep_epoch();
    save();
  }
  while (epoch_ < options_.epochs) {
    train_epoch();
    end_epoch();
  }
  if (compresses() && !cut_done_) cut_gates();
  if (!has_stage("final")) add_stage("final", network.plain());
}

/// A copy: training goes on.
TensorFile Run::State::weights() const {
  TensorFile file;
  add_prefixed(file, kNetwork, network.state());
  add_prefixed(file, kOptimizer, optimizer_.state());
  for (auto& [name, tensor] : file.tensors) tensor = tensor.clone();
  return file;
}

void Run::State::load_weights(const TensorFile& file) {
  network.load(with_prefix(file, kNetwork));
  optimizer_.load(learned_tensors(network.gated()), with_prefix(file, kOptimizer));
}

TensorFile Run::State::checkpoint() const {
  TensorFile file;
  add_prefixed(file, kNetwork, network.state());
  add_prefixed(file, kOptimizer, optimizer_.state());
  Json stages = Json::array();
  for (const Stage& stage : stages_) {
    stages.push_back({{"name", stage.name}, {"held_out", to_json(stage.held_out)}});
    if (stage.name == "cut" || stage.name == "recalibrated")
      add_prefixed(file, "stage/" + stage.name + "/", stage.graph.parameters);
  }
  Json state = {{"epoch", epoch_},
                {"step_in_epoch", step_in_epoch_},
                {"ramp_done", ramp_done_},
                {"cut_done", cut_done_},
                {"look_pending", look_pending_},
                {"controlled", controlled_ ? Json(*controlled_) : Json()},
                {"stages", stages},
                {"curve", curve_},
                {"loss_sum", loss_sum_},
                {"loss_count", loss_count_},
                {"last_metric", last_metric_},
                {"seconds", seconds_}};
  if (descent_) descent_->save(file, state);
  file.metadata["state"] = state.dump();
  return file;
}

void Run::State::save() {
  stop_unless_finite();
  if (observer_->save) observer_->save(checkpoint());
  last_save_ = std::chrono::steady_clock::now();
}

void Run::State::resume(const TensorFile& file) try {
  const Json state = Json::parse(file.metadata.at("state"));
  load_weights(file);
  if (descent_) descent_->load(file, state);
  epoch_ = state.at("epoch");
  step_in_epoch_ = state.at("step_in_epoch");
  ramp_done_ = state.at("ramp_done");
  cut_done_ = state.at("cut_done");
  look_pending_ = state.at("look_pending");
  if (!state.at("controlled").is_null()) controlled_ = state.at("controlled").get<double>();
  curve_ = state.at("curve");
  loss_sum_ = state.at("loss_sum");
  loss_count_ = state.at("loss_count");
  last_metric_ = state.at("last_metric");
  seconds_ = state.at("seconds").get<std::map<std::string, double>>();
  for (const Json& entry : state.at("stages")) {
    const std::string name = entry.at("name");
    Stage stage{name, {}, to_evaluation(entry.at("held_out")), std::nullopt};
    if (name == "dense") {
      stage.graph = dense_.graph;
      dense_.held_out = stage.held_out;
    }
    if (name == "cut" || name == "recalibrated") {
      stage.graph = network.plain();
      stage.graph.parameters = with_prefix(file, "stage/" + name + "/");
    }
    stages_.push_back(std::move(stage));
  }
} catch (const std::out_of_range& missing) {
  damaged(missing.what());
} catch (const Json::exception& wrong) {
  damaged(wrong.what());
}

Run::Run(const Graph& network, const Graph& dense, const Task& task, const RunData& data,
         RunOptions options)
    : state_(std::make_unique<State>(network, dense, task, data, std::move(options))) {}
Run::~Run() = default;
void Run::resume(const TensorFile& checkpoint) {
  state_->resume(checkpoint);
}
RunResult Run::train(const RunObserver& observer) {
  return state_->train(observer);
}
Evaluation Run::dense() {
  return state_->dense();
}
RunResult Run::so_far() const {
  return state_->so_far();
}
const GatedNetwork& Run::network() const {
  return state_->network;
}

}  // namespace crrm
