#include "crrm/phases/setup.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/architectures/builder.h"
#include "crrm/base/random.h"
#include "crrm/data/split.h"
#include "crrm/phases/boolean_rule.h"
#include "crrm/phases/quantise.h"

namespace crrm {

namespace {

enum class Activation { tanh, relu, leaky_relu, none };

const std::vector<int64_t> kClassical = {10, 7, 5, 4, 3};
constexpr double kQuantisation = 0.25;  // of tanh: 9 levels
constexpr double kGatedMacs = 0.5;
// Coarsest bins and noise, about the largest distance of two samples: tanh in few units; ReLU in
// hundreds, where noise of 1 still tells all samples apart.
constexpr double kBooleanScale = 1, kDataScale = 100;

void activate(Builder& builder, Activation activation) {
  constexpr double kSlope = 0.5;  // inverts well
  if (activation == Activation::tanh) builder.tanh();
  if (activation == Activation::relu) builder.relu();
  if (activation == Activation::leaky_relu) builder.leaky_relu(kSlope);
}

/// fc1, fc2, ... of these widths with activations between, to logits.
Graph perceptron(const Shape& sample, const std::vector<int64_t>& widths, Activation activation,
                 int64_t classes, uint64_t seed) {
  Builder builder("perceptron", sample, seed);
  if (activation != Activation::relu) builder.draw_with(/*gain=*/1);
  if (sample.size() > 1) builder.flatten();
  for (size_t i = 0; i < widths.size(); ++i) {
    builder.linear(fmt::format("fc{}", i + 1), widths[i]);
    activate(builder, activation);
  }
  builder.linear(fmt::format("fc{}", widths.size() + 1), classes);
  return builder.finish("logits");
}

Graph small_cnn(const Shape& sample, int64_t classes, uint64_t seed) {
  Builder builder("cnn", sample, seed);
  for (const auto& [name, channels] : {std::pair("conv1", 8), std::pair("conv2", 16)}) {
    builder.conv(name, channels, {.kernel = 3, .pad = 1}, /*bias=*/true);
    builder.relu();
    builder.max_pool({.kernel = 2, .stride = 2});
  }
  builder.flatten();
  builder.linear("fc1", 32);
  builder.relu();
  builder.linear("fc2", classes);
  return builder.finish("logits");
}

Dataset dataset(const at::Tensor& inputs, const at::Tensor& labels) {
  Dataset data;
  data.inputs = inputs;
  data.labels = labels;
  data.classes = 2;
  data.source = "12 bits";
  return data;
}

/// So that any first samples stand for all.
Dataset shuffled_order(const Dataset& data) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(/*seed=*/0);
  return select(data, at::randperm(data.size(), generator, at::kLong));
}

/// 80 % of the inputs are trained on, as in the paper; the plane shows all.
Setup boolean_setup(const BooleanTask& task, const std::string& name, const std::string& meaning,
                    const std::vector<int64_t>& widths, Activation activation) {
  constexpr double kTest = 0.2;
  HeldOutSplit split = split_held_out(dataset(task.inputs, task.labels), kTest, /*seed=*/0);
  Setup setup{.name = name,
              .meaning = meaning,
              .network =
                  [=](uint64_t seed) {
                    return perceptron({task.inputs.size(1)}, widths, activation, 2, seed);
                  },
              .data = {split.train, split.held_out, split.held_out, {}},
              .observed = shuffled_order(dataset(task.inputs, task.labels)),
              .channels = post_hoc_sweep(kBooleanScale)};
  return setup;
}

/// The same inputs, and labels that say nothing about them.
BooleanTask shuffled(BooleanTask task, uint64_t seed) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor order = at::randperm(task.labels.size(0), generator, at::kLong);
  task.labels = task.labels.index_select(0, order);
  return task;
}

Dataset first(const Dataset& data, int64_t count) {
  return select(data, at::arange(std::min(count, data.size())));
}

Setup data_setup(const RunData& data, int64_t observed, const std::string& name,
                 const std::string& meaning, std::function<Graph(uint64_t)> network) {
  return {.name = name,
          .meaning = meaning,
          .network = std::move(network),
          .data = data,
          .observed = first(data.test, observed),
          .channels = post_hoc_sweep(kDataScale),
          .epochs = 10,
          .batch = std::min<int64_t>(128, data.train.size())};
}

}  // namespace

std::vector<Setup> boolean_setups(uint64_t seed) {
  const BooleanTask task = boolean_task(seed);
  Setup tanh = boolean_setup(task, "tanh", "12-10-7-5-4-3-2 with tanh, on 12 bits", kClassical,
                             Activation::tanh);
  Setup relu = boolean_setup(task, "relu", "12-10-7-5-4-3-2 with ReLU, on 12 bits", kClassical,
                             Activation::relu);
  Setup quantised = tanh;
  quantised.name = "quantised";
  quantised.meaning =
      "12-10-7-5-4-3-2 with tanh rounded to 9 levels in training too: I(X;T) is a number";
  quantised.network = [build = tanh.network](uint64_t weights) {
    return quantise_after(build(weights), "Tanh", kQuantisation);
  };
  quantised.channels = {quantised_channel(kQuantisation)};
  Setup gated = boolean_setup(task, "crrm",
                              "12-64-32-16-2 with ReLU, trained under gates to half of its MACs",
                              {64, 32, 16}, Activation::relu);
  gated.macs = kGatedMacs;
  gated.channels = {gate_channel()};
  gated.epochs = 100;
  return {tanh, relu, quantised, gated};
}

std::vector<Setup> control_setups(uint64_t seed) {
  const BooleanTask task = boolean_task(seed);
  Setup untrained =
      boolean_setup(task, "untrained", "tanh at its first weights", kClassical, Activation::tanh);
  untrained.learning_rate = 0;
  const Setup random = boolean_setup(shuffled(task, mix(seed, 1)), "random-labels",
                                     "tanh on labels that say nothing about the inputs", kClassical,
                                     Activation::tanh);
  const Setup linear = boolean_setup(task, "linear", "12-10-7-5-4-3-2 without activations",
                                     kClassical, Activation::none);
  const Setup invertible = boolean_setup(
      task, "invertible", "12-12-12-12-2 with leaky ReLU: hidden layers lose nothing of the inputs",
      {12, 12, 12}, Activation::leaky_relu);
  Setup rescaled = boolean_setup(task, "rescaled",
                                 "a trained ReLU network; along the axis its first layer is scaled "
                                 "by 1 to 0.01 and the second "
                                 "by the inverse: the same function throughout",
                                 kClassical, Activation::relu);
  rescaled.rescales = true;
  return {untrained, random, linear, invertible, rescaled};
}

std::vector<Setup> data_setups(const RunData& data, int64_t observed) {
  const Shape sample = data.train.inputs.sizes().slice(1).vec();
  const int64_t classes = data.train.classes;
  std::vector<Setup> setups = {
      data_setup(data, observed, "mlp", "256-20-20-20 with ReLU, on the data", [=](uint64_t seed) {
        return perceptron(sample, {256, 20, 20, 20}, Activation::relu, classes, seed);
      })};
  if (sample.size() == 3 && std::min(sample[1], sample[2]) >= kLeastSide)
    setups.push_back(data_setup(data, observed, "cnn",
                                "two convolutions of 8 and 16 channels, 32 units, on the data",
                                [=](uint64_t seed) { return small_cnn(sample, classes, seed); }));
  return setups;
}

Setup saved_setup(const RunData& data, int64_t observed, const SavedTrainings& saved) {
  Setup setup = data_setup(data, observed, "checkpoints", "networks that were trained elsewhere",
                           [=](uint64_t) { return saved.network(0, saved.epochs.front()); });
  setup.saved = saved;
  return setup;
}

}  // namespace crrm
