#include "crrm/phases/training.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "crrm/activations/layers.h"
#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/random.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/water.h"
#include "crrm/train/classification.h"

namespace crrm {

namespace {

constexpr int64_t kSnapshots = 20;
constexpr int64_t kEvaluationBatch = 1000;
constexpr double kGatePower = 4;  // gates without noise have no rate

Classification task_of(const Setup& setup) {
  return Classification(setup.data.train.classes, /*teacher=*/nullptr, {.distillation = 0});
}

OptimizerOptions optimizer_options() {
  return {.kind = "sgd", .momentum = 0.9, .weight_decay = 0};
}

Shape sample_of(const Setup& setup) {
  return setup.data.train.inputs.sizes().slice(1).vec();
}

Evaluation judge_on_test(const Setup& setup, const Forward& forward) {
  return task_of(setup).evaluate(forward, setup.data.test, setup.data.normalisation,
                                 kEvaluationBatch);
}

bool contains(const std::vector<int64_t>& epochs, int64_t epoch) {
  return std::find(epochs.begin(), epochs.end(), epoch) != epochs.end();
}

class Plain {
 public:
  Plain(const Setup& setup, uint64_t seed)
      : setup_(setup),
        task_(task_of(setup)),
        graph_(setup.network(seed)),
        executor_(graph_),
        optimizer_(required(learned_tensors(graph_)), optimizer_options()),
        all_(take(setup.data.train, setup.data.normalisation, 0, setup.data.train.size(), false)),
        seed_(seed) {}

  void train(const std::function<void(const Snapshot&)>& watch);

 private:
  static std::map<std::string, at::Tensor> required(std::map<std::string, at::Tensor> tensors) {
    for (auto& [name, tensor] : tensors) tensor.requires_grad_(true);
    return tensors;
  }
  void epoch(int64_t number);
  Snapshot look(int64_t epoch) const;

  const Setup& setup_;
  Classification task_;
  Graph graph_;
  Executor executor_;
  Optimizer optimizer_;
  Batch all_;
  uint64_t seed_;
};

Snapshot Plain::look(int64_t epoch) const {
  const Evaluation test =
      judge_on_test(setup_, [&](const at::Tensor& x) { return executor_.run({x}); });
  return {.epoch = epoch, .network = graph_, .accuracy = test.metric, .loss = test.loss};
}

void Plain::epoch(int64_t number) {
  const int64_t steps = all_.labels.size(0) / setup_.batch;
  const at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(mix(seed_, static_cast<uint64_t>(number)));
  const at::Tensor order = at::randperm(all_.labels.size(0), generator, at::kLong);
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor index = order.narrow(0, step * setup_.batch, setup_.batch);
    const Batch batch{all_.inputs.index_select(0, index), all_.labels.index_select(0, index)};
    const at::Tensor loss = task_.loss(executor_.run({batch.inputs}, /*training=*/true), batch);
    optimizer_.zero_grad();
    loss.backward();
    const double done =
        static_cast<double>(number * steps + step) / static_cast<double>(setup_.epochs * steps);
    optimizer_.step(learning_rate({.learning_rate = setup_.learning_rate}, done));
  }
}

void Plain::train(const std::function<void(const Snapshot&)>& watch) {
  const std::vector<int64_t> times = snapshot_epochs(setup_);
  for (int64_t done = 0;; ++done) {
    throw_if_interrupted();
    if (contains(times, done)) watch(look(done));
    if (done == times.back()) return;
    epoch(done);
  }
}

/// By layer, the sum of 1/2 log(1 / D) over its units.
std::map<std::string, double> gate_rates(const GatedNetwork& network, const Shape& sample) {
  std::map<std::string, double> rates;
  const Coupling& coupling = network.coupling();
  for (const Layer& layer : usual_layers(network.plain(), sample)) {
    const int axis = layer.op == "Input" ? -1 : coupling.axis_of(layer.name, 1).axis;
    if (axis < 0) continue;
    std::vector<int64_t> units;
    for (const int unit : coupling.axes()[static_cast<size_t>(axis)])
      if (unit != Coupling::kStays) units.push_back(unit);
    rates[layer.name] =
        rate_nats(network.distortion().index_select(0, at::tensor(units, at::kLong)));
  }
  return rates;
}

void train_under_gates(const Setup& setup, uint64_t seed,
                       const std::function<void(const Snapshot&)>& watch) {
  const Graph graph = setup.network(seed);
  const Classification task = task_of(setup);
  RunOptions options;
  options.epochs = setup.epochs;
  options.batch = setup.batch;
  options.seed = seed;
  options.schedule.learning_rate = setup.learning_rate;
  options.optimizer = optimizer_options();
  options.gates.criterion.power = kGatePower;
  const GatedNetwork counted(graph, {sample_of(setup)}, options.gates);
  const double dense = static_cast<double>(counted.cost().macs);
  options.limits = {{Resource::macs, std::llround(*setup.macs * dense)}};
  Run run(graph, graph, task, setup.data, options);

  const std::vector<int64_t> times = snapshot_epochs(setup);
  const int64_t steps = setup.data.train.size() / setup.batch;
  RunObserver observer;
  observer.step = [&](int64_t step, double) {
    const int64_t done = step / steps + 1;
    if ((step + 1) % steps != 0 || !contains(times, done)) return;
    const at::NoGradGuard no_grad;
    const GatedNetwork& network = run.network();
    const at::Tensor gates = hard_gates(network.alive());
    const Evaluation test = judge_on_test(
        setup, [&](const at::Tensor& x) { return network.run({x}, gates, /*training=*/false); });
    watch({.epoch = done,
           .network = {},
           .accuracy = test.metric,
           .loss = test.loss,
           .gate_rates = gate_rates(network, sample_of(setup))});
  };
  run.train(observer);
}

/// The network after training, with the weights of its first layer times c and those of its second
/// by c, c from 1 to 0.01: with ReLU between, the same function.
void train_and_rescale(const Setup& setup, uint64_t seed,
                       const std::function<void(const Snapshot&)>& watch) {
  Setup plain = setup;
  plain.rescales = false;
  Snapshot last;
  Plain(plain, seed).train([&](const Snapshot& seen) { last = seen; });
  const std::vector<int64_t> times = snapshot_epochs(setup);
  const at::NoGradGuard no_grad;
  for (const int64_t time : times) {
    const double c = std::pow(0.01, static_cast<double>(time) / static_cast<double>(times.back()));
    Snapshot scaled = last;
    scaled.epoch = time;
    for (const auto& [name, factor] :
         {std::pair<std::string, double>{"fc1.weight", c}, {"fc1.bias", c}, {"fc2.weight", 1 / c}})
      scaled.network.parameters.at(name) = last.network.parameters.at(name) * factor;
    watch(scaled);
  }
}

void show_saved(const Setup& setup, int64_t training,
                const std::function<void(const Snapshot&)>& watch) {
  for (const int64_t epoch : setup.saved->epochs) {
    throw_if_interrupted();
    const Graph network = setup.saved->network(training, epoch);
    const Executor executor(network);
    const Evaluation test =
        judge_on_test(setup, [&](const at::Tensor& x) { return executor.run({x}); });
    watch({.epoch = epoch, .network = network, .accuracy = test.metric, .loss = test.loss});
  }
}

}  // namespace

std::vector<int64_t> log_spaced_epochs(int64_t epochs, int64_t count) {
  std::vector<int64_t> spaced = {0};
  for (int64_t i = 1; i <= count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count);
    const int64_t epoch = std::llround(std::expm1(share * std::log1p(epochs)));
    if (epoch > spaced.back()) spaced.push_back(epoch);
  }
  return spaced;
}

std::vector<int64_t> snapshot_epochs(const Setup& setup) {
  if (setup.saved) return setup.saved->epochs;
  if (setup.learning_rate == 0) return {0};
  std::vector<int64_t> epochs = log_spaced_epochs(setup.epochs, kSnapshots);
  if (!setup.macs) return epochs;
  const ScheduleOptions schedule;
  const auto share = [&](int64_t epoch) {
    return static_cast<double>(epoch) / static_cast<double>(setup.epochs);
  };
  constexpr double kSettled = 0.05;  // share of the run: the first settings of the water level
  epochs.clear();
  for (int64_t i = 0; i <= kSnapshots; ++i) {
    const double at = schedule.ramp_begin + kSettled +
                      (schedule.ramp_end - schedule.ramp_begin - kSettled) *
                          static_cast<double>(i) / static_cast<double>(kSnapshots);
    const int64_t epoch = std::llround(at * static_cast<double>(setup.epochs));
    if (epoch > 0 && share(epoch) < schedule.ramp_end && (epochs.empty() || epoch > epochs.back()))
      epochs.push_back(epoch);
  }
  return epochs;
}

void train(const Setup& setup, uint64_t seed, const std::function<void(const Snapshot&)>& watch) {
  if (setup.saved)
    show_saved(setup, static_cast<int64_t>(seed), watch);
  else if (setup.macs)
    train_under_gates(setup, seed, watch);
  else if (setup.rescales)
    train_and_rescale(setup, seed, watch);
  else
    Plain(setup, seed).train(watch);
}

}  // namespace crrm
