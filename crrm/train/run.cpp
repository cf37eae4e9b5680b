#include "crrm/train/run.h"

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/random.h"
#include "crrm/bottleneck/water.h"
#include "crrm/train/run_state.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// The first parameter that holds a NaN or an infinity, or "".
std::string first_not_finite(const Graph& graph) {
  for (const auto& [name, tensor] : graph.parameters)
    if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) return name;
  return "";
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

}  // namespace

LoaderOptions loader_options(const RunData& data, const RunOptions& options) {
  return {.batch = options.batch,
          .shuffle = true,
          .augmentation = options.augmentation,
          .channels_last = data.train.inputs.dim() == 4,
          .seed = options.seed,
          .drop_last = true,
          .device = options.device};
}

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
