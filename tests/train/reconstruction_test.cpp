#include "crrm/train/reconstruction.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include "crrm/base/error.h"

namespace crrm {
namespace {

at::Tensor normal(const Shape& shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

Dataset data_of(const at::Tensor& inputs) {
  return {.inputs = inputs, .labels = {}, .class_names = {}, .source = "memory", .sha256 = ""};
}

Evaluation evaluate(const Reconstruction& task, const at::Tensor& x, const Forward& forward,
                    int64_t batch = 7) {
  return task.evaluate(forward, data_of(x), {}, batch);
}

// Columns of means 1 and 5, population variances 1 and 4.
TEST(Reconstruction, MeasuresVarianceAroundEachElementsMean) {
  const at::Tensor x = at::tensor({0.0F, 3.0F, 2.0F, 7.0F}).reshape({2, 2});
  EXPECT_DOUBLE_EQ(variance_of(data_of(x), {}, 1), 2.5);
}

// The mean explains nothing, the input all, and the mean plus a share a of the way to the input
// 1 - (1 - a)^2; whatever the batches.
TEST(Reconstruction, ExplainsTheShareOfTheWay) {
  const at::Tensor x = normal({50, 1, 2, 3}, 1) * 3 + 2;
  const at::Tensor mean = x.mean(0, /*keepdim=*/true);
  const Reconstruction task({1, 2, 3}, variance_of(data_of(x), {}, 50));
  for (const double a : {0.0, 0.25, 0.9, 1.0}) {
    const Evaluation result = evaluate(
        task, x, [&](const at::Tensor& batch) { return Tensors{mean + a * (batch - mean)}; });
    const double lost = (1 - a) * (1 - a);
    EXPECT_NEAR(result.metric, 1 - lost, 1e-6);
    EXPECT_NEAR(result.loss, lost, 1e-6);
    EXPECT_EQ(result.samples, 50);
    EXPECT_NEAR(result.high - result.low, 0, 1e-6);  // each sample loses the same share
  }
}

TEST(Reconstruction, MetricStaysAtZeroWhereNothingIsExplained) {
  const at::Tensor x = normal({20, 4}, 2);
  const Evaluation result =
      evaluate(Reconstruction({4}, 1), x, [](const at::Tensor& batch) { return Tensors{-batch}; });
  EXPECT_EQ(result.metric, 0);
  EXPECT_EQ(result.low, 0);
  EXPECT_GT(result.loss, 3);
}

// Noise of variance v on inputs of variance 1 leaves 1 - v. Of 400 datasets 95 % cover that: 380,
// with a standard deviation of 4.4.
TEST(Reconstruction, IntervalCoversTheTruth) {
  constexpr double kVariance = 0.3;
  const Reconstruction task({5}, 1);
  int covered = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const at::Tensor x = normal({100, 5}, 2 * seed);
    const at::Tensor noise = normal({100, 5}, 2 * seed + 1) * std::sqrt(kVariance);
    const Evaluation result = evaluate(
        task, x, [&](const at::Tensor& batch) { return Tensors{batch + noise}; }, 100);
    covered += result.low <= 1 - kVariance && 1 - kVariance <= result.high;
  }
  EXPECT_NEAR(covered, 380, 4 * 4.4);
}

// L(z) = mean (z y - x)^2 / v has the second derivative 2 mean y^2 / v by a gate z on the output.
TEST(Reconstruction, ProbesTheCurvatureOfItsLoss) {
  constexpr double kVariance = 0.7;
  constexpr int kDraws = 4000;
  const Reconstruction task({3, 2}, kVariance);
  const at::Tensor y = normal({1, 3, 2}, 5);
  const at::Tensor z = at::ones({}, at::TensorOptions(at::kFloat)).set_requires_grad(true);
  double total = 0;
  for (uint64_t draw = 0; draw < kDraws; ++draw) {
    const at::Tensor g = torch::autograd::grad({task.probe({y * z}, draw)}, {z})[0];
    total += g.item<double>() * g.item<double>();
  }
  const double curvature = 2 * y.square().mean().item<double>() / kVariance;
  EXPECT_NEAR(total / kDraws / curvature, 1, 0.12);  // 5 standard errors of squares of normals
}

TEST(Reconstruction, LossDoesNotDependOnTheUnit) {
  const at::Tensor x = normal({20, 4}, 3), y = normal({20, 4}, 4);
  const double v = variance_of(data_of(x), {}, 20);
  const double plain = Reconstruction({4}, v).loss({y}, {x, {}}).item<double>();
  const double scaled = Reconstruction({4}, 100 * v).loss({10 * y}, {10 * x, {}}).item<double>();
  EXPECT_NEAR(plain, scaled, 1e-6);
}

TEST(Reconstruction, RefusesWhatCannotBe) {
  const auto text = [](const std::function<void()>& work) {
    try {
      work();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(text([] { Reconstruction({4}, 0); }), testing::HasSubstr("samples that differ"));
  EXPECT_THAT(text([] {
                Reconstruction({1, 2}, 1).check({at::zeros({3, 2})});
              }),
              testing::HasSubstr("expected  [N, 1, 2], the shape of the inputs"));
  const auto same = [](const at::Tensor& batch) { return Tensors{batch}; };
  EXPECT_THAT(text([&] {
                evaluate(Reconstruction({4}, 1), at::ones({5, 4}), same);
              }),
              testing::HasSubstr("a variance of 0"));
}

}  // namespace
}  // namespace crrm
