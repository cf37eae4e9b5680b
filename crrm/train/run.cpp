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

Json to_json(const Evaluation& e) {
  return {{"metric", e.metric}, {"loss", e.loss}, {"samples", e.samples},
          {"low", e.low},       {"high", e.high}, {"outputs", to_json(e.outputs)}};
}

Evaluation to_evaluation(const Json& j) {
  return {.metric = j.at("metric"),
          .loss = j.at("loss"),
          .samples = j.at("samples"),
          .low = j.at("low"),
          .high = j.at("high"),
          .outputs = to_agreements(j.at("outputs"))};
}

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

void add_prefixed(TensorFile& file, const std::string& prefix,
                  const std::map<std::string, at::Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors)
    file.tensors[prefix + name] = tensor.detach().to(at::kCPU).contiguous();
}

[[noreturn]] void damaged(const std::string& what) {
  throw InputError({.place = "checkpoint",
                    .expected = "the state of a run",
                    .found = what,
                    .hint = "it is damaged or of another version: start the run again"});
}

std::map<std::string, at::Tensor> with_prefix(const TensorFile& file, const std::string& prefix) {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : file.tensors)
    if (name.starts_with(prefix)) result[name.substr(prefix.size())] = tensor;
  return result;
}

}  // namespace

class Run::State {
 public:
  State(const Graph& network, const Graph& dense, const Task& task, const RunData& data,
        RunOptions options);

  void resume(const TensorFile& checkpoint);
  RunResult train(const RunObserver& observer);
  Evaluation dense();
  RunResult so_far() const { return {stages_, network.alive(), curve_, seconds_}; }

  GatedNetwork network;

 private:
  bool compresses() const { return options_.budget.has_value(); }
  int64_t total_steps() const { return options_.epochs * loader_.steps(); }
  int64_t step() const { return epoch_ * loader_.steps() + step_in_epoch_; }
  double share() const { return static_cast<double>(step()) / static_cast<double>(total_steps()); }

  void settle_intervals();
  void train_epoch();
  void train_step(const Batch& batch);
  void compress_step(const Batch& batch);
  void probe(const at::Tensor& inputs);
  void compact();
  void cut_gates();
  void record(double loss, double rate, std::optional<double> held_out);
  void report_progress();
  void end_epoch();
  void save();
  TensorFile checkpoint() const;
  void add_stage(const std::string& name, const Graph& graph);
  void add_stage(Stage stage);
  Evaluation evaluate_held_out();
  Evaluation evaluate(const Graph& graph, const Dataset& data) const;
  Evaluation evaluate_masked(const Graph& small, const Dataset& data) const;
  void read_test(RunResult& result);
  void stop_unless_finite() const;
  [[noreturn]] void diverged(const std::string& expected, const std::string& found) const;

  const Task& task_;
  const RunData& data_;
  RunOptions options_;
  Stage dense_;
  Loader loader_;
  Optimizer optimizer_;
  int64_t epoch_ = 0, step_in_epoch_ = 0;
  bool ramp_done_ = false, cut_done_ = false;
  std::vector<Stage> stages_;
  Json curve_ = Json::array();
  double loss_sum_ = 0;
  int64_t loss_count_ = 0;
  double last_metric_ = -1;
  std::map<std::string, double> seconds_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  const RunObserver* observer_ = nullptr;
};

Run::State::State(const Graph& net, const Graph& dense, const Task& task, const RunData& data,
                  RunOptions options)
    : network(net, {data.train.inputs.sizes().slice(1).vec()}, options.gates, options.device),
      task_(task),
      data_(data),
      options_(std::move(options)),
      dense_{"dense", clone(dense), {}, std::nullopt},
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
  if (compresses()) {  // an infeasible budget is known before the first step
    const int64_t least =
        amount(smallest_cost(network.coupling(), network.cost_model()), options_.budget->resource);
    if (options_.budget->limit < least)
      select(network.coupling(), network.cost_model(), network.alive(), network.fisher(),
             at::ones_like(network.fisher()), options_.budget->resource, options_.budget->limit);
  }
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

Evaluation Run::State::evaluate_held_out() {
  const Stopwatch watch(seconds_["evaluate"]);
  const at::Tensor gates = hard_gates(network.alive());
  return task_.evaluate([&](const at::Tensor& x) { return network.run({x}, gates, false); },
                        data_.held_out, data_.normalisation, options_.evaluation_batch);
}

Evaluation Run::State::evaluate(const Graph& graph, const Dataset& data) const {
  return task_.evaluate(to(graph, options_.device), data, data_.normalisation,
                        options_.evaluation_batch);
}

/// At the original size, the units that `small` lacks multiplied by zero.
Evaluation Run::State::evaluate_masked(const Graph& small, const Dataset& data) const {
  const Executor whole(to(network.whole(small), options_.device));
  const at::Tensor gates = hard_gates(network.alive());
  return task_.evaluate(
      [&](const at::Tensor& x) {
        return whole.run({x, gates});
      },
      data, data_.normalisation, options_.evaluation_batch);
}

Evaluation Run::State::dense() {
  if (dense_.held_out.samples == 0) {
    const Stopwatch watch(seconds_["evaluate"]);
    dense_.held_out = evaluate(dense_.graph, data_.held_out);
  }
  return dense_.held_out;
}

void Run::State::add_stage(const std::string& name, const Graph& graph) {
  const Stopwatch watch(seconds_["evaluate"]);
  add_stage({name, to(clone(graph), at::kCPU), evaluate(graph, data_.held_out), std::nullopt});
}

void Run::State::add_stage(Stage stage) {
  if (observer_->log)
    observer_->log({{"event", "stage"},
                    {"name", stage.name},
                    {"step", step()},
                    {"held_out", to_json(stage.held_out)}});
  stages_.push_back(std::move(stage));
}

void Run::State::probe(const at::Tensor& inputs) {
  const Stopwatch watch(seconds_["probe"]);
  at::Tensor gates =
      hard_gates(network.alive()).expand({inputs.size(0), network.units() + 1}).contiguous();
  gates.requires_grad_(true);
  const Tensors outputs = network.run({inputs}, gates, /*training=*/false);
  for (const at::Tensor& output : outputs)
    if (!at::isfinite(output).all().item<bool>())
      diverged("finite outputs", "NaN or infinity in the network's output");
  const at::Tensor drawn = task_.probe(outputs, mix(options_.seed, kProbeDraws, step()));
  network.observe(torch::autograd::grad({drawn}, {gates})[0]);
}

void Run::State::compress_step(const Batch& batch) {
  const double t = share();
  if (!ramp_done_ && network.units() > 0 && step() % options_.probe_every == 0) probe(batch.inputs);
  const bool due = step() % options_.control_every == 0 || t >= options_.schedule.ramp_end;
  if (!ramp_done_ && due && t > options_.schedule.ramp_begin && network.probes() > 0) {
    const Budget& budget = *options_.budget;
    const std::vector<bool> all(network.alive().size(), true);
    const int64_t dense = amount(network.cost_model()(all), budget.resource);
    network.control(ramped_budget(options_.schedule, t, dense, budget.limit));
    ramp_done_ = t >= options_.schedule.ramp_end;
  }
  network.anneal(annealing(options_.schedule, t));
  if (ramp_done_ && annealing(options_.schedule, t) == 0) compact();
  if (ramp_done_ && t >= options_.schedule.cut) cut_gates();
}

void Run::State::compact() {
  if (!network.can_compact()) return;
  const Shrinkage::Kept kept = network.compact();
  optimizer_.replace(learned_tensors(network.gated()), kept);
}

/// The gates leave: what was masked is now a plain smaller network.
void Run::State::cut_gates() {
  compact();
  const Graph plain = network.plain();
  add_stage({"masked", {}, evaluate_masked(plain, data_.held_out), std::nullopt});
  add_stage("cut", plain);
  Loader batches(data_.train, data_.normalisation,
                 loader_options(data_, options_));  // as in training
  batches.start(epoch_);
  recalibrate(plain, std::min(options_.calibration_batches, batches.steps()),
              [&](int64_t) { return batches.next()->inputs; });
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
  loss.backward();
  optimizer_.step(learning_rate(options_.schedule, share()));
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
  const Cost now = network.cost();
  const Resource resource = compresses() ? options_.budget->resource : Resource::macs;
  const int64_t dense =
      amount(network.cost_model()(std::vector<bool>(network.alive().size(), true)), resource);
  const int64_t goal =
      compresses() ? ramped_budget(options_.schedule, share(), dense, options_.budget->limit)
                   : dense;
  Json point = {
      {"step", step()},
      {"epoch", static_cast<double>(step()) / static_cast<double>(loader_.steps())},
      {"loss", loss},
      {"held_out_metric", held_out ? Json(*held_out) : Json(nullptr)},
      {"cost", amount(now, resource)},
      {"goal_cost", goal},
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
  if (compresses())
    state.cost = fmt::format(
        "{} {} / {}", options_.budget->resource == Resource::macs ? "MACs" : "params",
        format_count(static_cast<double>(amount(network.cost(), options_.budget->resource))),
        format_count(static_cast<double>(options_.budget->limit)));
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
    if (pending_signal() != 0 || (since > options_.save_every_seconds && !last)) save();
    throw_if_interrupted();
  }
}

void Run::State::end_epoch() {
  stop_unless_finite();
  if (compresses() && !cut_done_) compact();
  const Evaluation held_out = evaluate_held_out();
  last_metric_ = held_out.metric;
  const double loss = loss_count_ == 0 ? 0.0 : loss_sum_ / static_cast<double>(loss_count_);
  step_in_epoch_ = loader_.steps();
  record(loss, rate_nats(network.distortion()), held_out.metric);
  loss_sum_ = 0;
  loss_count_ = 0;
  ++epoch_;
  step_in_epoch_ = 0;
  save();
}

RunResult Run::State::train(const RunObserver& observer) {
  double total = seconds_["total"];
  observer_ = &observer;
  {
    const Stopwatch watch(total);
    if (stages_.empty()) add_stage({"dense", dense_.graph, dense(), std::nullopt});
    if (step() == 0) save();
    for (; epoch_ < options_.epochs;) {
      train_epoch();
      end_epoch();
    }
    if (compresses() && !cut_done_) cut_gates();
    if (stages_.back().name != "final") add_stage("final", network.plain());
  }
  seconds_["total"] = total;
  RunResult result = so_far();
  read_test(result);
  return result;
}

void Run::State::read_test(RunResult& result) {
  if (data_.test.size() == 0) return;
  const Stopwatch watch(result.seconds["test"]);
  for (size_t i = 0; i < result.stages.size(); ++i) {
    Stage& stage = result.stages[i];
    stage.test = stage.name == "masked" ? evaluate_masked(result.stages[i + 1].graph, data_.test)
                                        : evaluate(stage.graph, data_.test);
  }
}

TensorFile Run::State::checkpoint() const {
  TensorFile file;
  add_prefixed(file, "network/", network.state());
  add_prefixed(file, "optimizer/", optimizer_.state());
  Json stages = Json::array();
  for (const Stage& stage : stages_) {
    stages.push_back({{"name", stage.name}, {"held_out", to_json(stage.held_out)}});
    if (stage.name == "cut" || stage.name == "recalibrated")
      add_prefixed(file, "stage/" + stage.name + "/", stage.graph.parameters);
  }
  const Json state = {{"epoch", epoch_},
                      {"step_in_epoch", step_in_epoch_},
                      {"ramp_done", ramp_done_},
                      {"cut_done", cut_done_},
                      {"stages", stages},
                      {"curve", curve_},
                      {"loss_sum", loss_sum_},
                      {"loss_count", loss_count_},
                      {"last_metric", last_metric_},
                      {"seconds", seconds_}};
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
  network.load(with_prefix(file, "network/"));
  optimizer_.replace(learned_tensors(network.gated()), {});
  optimizer_.load(with_prefix(file, "optimizer/"));
  epoch_ = state.at("epoch");
  step_in_epoch_ = state.at("step_in_epoch");
  ramp_done_ = state.at("ramp_done");
  cut_done_ = state.at("cut_done");
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
