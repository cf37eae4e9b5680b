// How a run's network becomes smaller: units are probed and closed, what is closed is cut away, and
// the gates leave.
#include <torch/csrc/autograd/autograd.h>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/water.h"
#include "crrm/surgery/batch_norm.h"
#include "crrm/surgery/cut.h"
#include "crrm/train/run_state.h"

namespace crrm {

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

}  // namespace crrm
