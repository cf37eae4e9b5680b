#include "crrm/train/distillation.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "crrm/base/error.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

constexpr int64_t kWidth = 3;

/// x [N, 3] -> itself, softmax, and argmax; each is an output.
Graph three_outputs() {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, kWidth}, {"batch", ""}}};
  b.add("Identity", "same", {"x"});
  b.add("Softmax", "share", {"x"});
  b.add("ArgMax", "best", {"x"});
  b.graph.nodes.back().attributes = {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}};
  b.graph.outputs = {{"same.out", at::kFloat, {-1, kWidth}, {"batch", ""}},
                     {"share.out", at::kFloat, {-1, kWidth}, {"batch", ""}},
                     {"best.out", at::kLong, {-1}, {"batch"}}};
  return b.graph;
}

at::Tensor samples(int64_t count, uint64_t seed = 3) {
  return at::randn({count, kWidth}, at::detail::createCPUGenerator(seed),
                   at::TensorOptions(at::kFloat));
}

/// Of the first `count` outputs of that network.
Distillation distillation(const at::Tensor& x, const std::vector<std::string>& logits = {},
                          double temperature = 1) {
  return Distillation(std::make_unique<Teacher>(three_outputs()),
                      {"same.out", "share.out", "best.out"}, logits, x, temperature);
}

TEST(Distillation, RecognisesProbabilitiesAndIsToldLogits) {
  const at::Tensor x = samples(50);
  const Distillation untold = distillation(x), told = distillation(x, {"same.out"});
  EXPECT_EQ(untold.laws()[0].kind, OutputKind::values);
  EXPECT_EQ(untold.laws()[1].kind, OutputKind::probabilities);
  EXPECT_EQ(untold.laws()[2].kind, OutputKind::discrete);
  EXPECT_EQ(told.laws()[0].kind, OutputKind::logits);
}

// Values: the variance. Distributions: H(mean) - mean H, the other form of the mutual information.
TEST(Distillation, CountsWhatTheInputTells) {
  const at::Tensor x = samples(200);
  const Distillation task = distillation(x, {});
  EXPECT_NEAR(task.laws()[0].information, at::var(x, 0).mean().item<double>(), 1e-5);
  const at::Tensor p = at::softmax(x.to(at::kDouble), 1);
  const auto entropy = [](const at::Tensor& q) { return -(q * q.log()).sum(-1); };
  const double expected = (entropy(p.mean(0)) - entropy(p).mean()).item<double>();
  EXPECT_NEAR(task.laws()[1].information, expected, 1e-5);
  EXPECT_NEAR(distillation(x, {"same.out"}).laws()[0].information, expected, 1e-5);
}

TEST(Distillation, LosesNothingAgainstItself) {
  const at::Tensor x = samples(20);
  const Distillation task = distillation(x);
  const Tensors outputs = Teacher(three_outputs())(x);
  EXPECT_NEAR(task.loss(outputs, Batch{x, {}}).item<double>(), 0, 1e-6);
}

// A shift d of the values costs d^2 / 2 over their variance; a shift of logits costs nothing.
TEST(Distillation, MeasuresLossInSharesOfInformation) {
  const at::Tensor x = samples(20);
  Tensors outputs = Teacher(three_outputs())(x);
  outputs[0] = outputs[0] + 0.3;
  const Distillation values = distillation(x);
  EXPECT_NEAR(values.loss(outputs, Batch{x, {}}).item<double>(),
              0.5 * 0.3 * 0.3 / values.laws()[0].information, 1e-5);
  const Distillation logits = distillation(x, {"same.out"}, /*temperature=*/2);
  EXPECT_NEAR(logits.loss(outputs, Batch{x, {}}).item<double>(), 0, 1e-5);
}

// A network that says the same of all inputs: the mean of values and probabilities, and the logits
// whose softmax at the temperature is the mean of the teacher's there. The variance of values is
// that of the law they are drawn from, N / (N - 1) of the samples' own.
TEST(Distillation, BlankLossIsThatOfTheMeanOutput) {
  const at::Tensor x = samples(40);
  const double values_share = 39.0 / 40;
  for (const double temperature : {0.5, 1.0, 2.0, 4.0}) {
    const Distillation untold = distillation(x, {}, temperature),
                       told = distillation(x, {"same.out"}, temperature);
    Dataset data;
    data.inputs = x;
    const auto blank = [&](const at::Tensor& same, const at::Tensor& input) {
      const int64_t n = input.size(0);
      return Tensors{same.expand({n, kWidth}), at::softmax(x, 1).mean(0, true).expand({n, kWidth}),
                     at::zeros({n}, at::kLong)};
    };
    const at::Tensor mean_logits =
        temperature * at::softmax(x / temperature, 1).mean(0, true).log();
    EXPECT_NEAR(told.evaluate([&](const at::Tensor& in) { return blank(mean_logits, in); }, data,
                              {}, /*batch=*/7)
                    .loss,
                told.blank_loss(data), 1e-5)
        << temperature;
    EXPECT_NEAR(untold
                    .evaluate([&](const at::Tensor& in) { return blank(x.mean(0, true), in); },
                              data, {}, /*batch=*/7)
                    .loss,
                1 + 0.5 * values_share, 1e-5);
    EXPECT_NEAR(untold.blank_loss(data), 1.5, 1e-9);
  }
}

/// E g^2 over draws, g the derivative of the probe by a gate z that multiplies `output`.
double mean_square(const Distillation& task, const Tensors& outputs, size_t output) {
  constexpr int kDraws = 4000;
  const at::Tensor z = at::ones({}, at::TensorOptions(at::kFloat)).set_requires_grad(true);
  double total = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    Tensors gated = outputs;
    gated[output] = output == 1 ? at::softmax(outputs[0] * z, 1) : outputs[output] * z;
    const at::Tensor g =
        torch::autograd::grad({task.probe(gated, static_cast<uint64_t>(draw))}, {z})[0];
    total += g.item<double>() * g.item<double>();
  }
  return total / kDraws;
}

/// Second derivative of the loss by that gate, at one, by differences.
double curvature(const Distillation& task, const at::Tensor& x, const Tensors& outputs,
                 size_t output) {
  const auto loss = [&](double z) {
    Tensors gated = outputs;
    gated[output] = output == 1 ? at::softmax(outputs[0] * z, 1) : outputs[output] * z;
    return task.loss(gated, Batch{x, {}}).item<double>();
  };
  constexpr double kStep = 0.1;
  return (loss(1 + kStep) - 2 * loss(1) + loss(1 - kStep)) / (kStep * kStep);
}

// At its minimum the loss curves as the probe's mean square says: values, probabilities, logits.
TEST(Distillation, ProbesTheCurvatureOfItsLoss) {
  const at::Tensor x = samples(64), one = x.narrow(0, 5, 1);
  const Tensors outputs = Teacher(three_outputs())(one);
  const Distillation untold = distillation(x), told = distillation(x, {"same.out"}),
                     soft = distillation(x, {"same.out"}, /*temperature=*/4);
  constexpr double kTolerance = 0.12;  // 4000 squares of normal numbers: 5 standard errors
  for (const auto& [task, output] : std::vector<std::pair<const Distillation*, size_t>>{
           {&untold, 0}, {&untold, 1}, {&told, 0}, {&soft, 0}}) {
    const double expected = curvature(*task, one, outputs, output);
    EXPECT_NEAR(mean_square(*task, outputs, output) / expected, 1, kTolerance) << output;
  }
}

TEST(Distillation, ReportsErrorsOutputByOutput) {
  const at::Tensor x = samples(30);
  const Distillation task = distillation(x);
  const Teacher teacher(three_outputs());
  Dataset data;
  data.inputs = x;
  const Evaluation found = task.evaluate(
      [&](const at::Tensor& inputs) {
        Tensors outputs = teacher(inputs);
        outputs[0] = outputs[0] * 0.9;
        return outputs;
      },
      data, {}, /*batch=*/7);
  EXPECT_EQ(found.samples, 30);
  EXPECT_NEAR(found.outputs[0].relative_error, 0.1, 1e-6);
  EXPECT_EQ(found.outputs[0].top1, std::nullopt);
  EXPECT_NEAR(found.outputs[1].relative_error, 0, 1e-6);
  EXPECT_EQ(found.outputs[1].top1, 1.0);
  EXPECT_NEAR(found.outputs[2].relative_error, 0, 1e-9);
  EXPECT_NEAR(found.metric, 0.9, 1e-6);  // of the worst output
  EXPECT_LT(found.low, 0.9);
  EXPECT_GT(found.high, 0.9);
}

TEST(Distillation, RefusesASingleSample) {
  EXPECT_THROW(distillation(samples(1)), InputError);
}

TEST(Distillation, RefusesAnOutputThatIsNotThere) {
  try {
    distillation(samples(4), {"sam.out"});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("--logits"));
    EXPECT_THAT(error.what(), testing::HasSubstr("same.out"));
  }
}

}  // namespace
}  // namespace crrm
