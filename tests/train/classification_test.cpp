#include "crrm/train/classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/small_network.h"

namespace crrm {
namespace {

// Of labels 0, 0, 1, 2: 1/2 log 2 + 2 (1/4 log 4); a class that does not occur adds nothing.
TEST(Classification, KnowingNothingCostsTheEntropyOfTheLabels) {
  Dataset data;
  data.inputs = at::zeros({4, 1});
  data.labels = at::tensor({0, 0, 1, 2}, at::kLong);
  data.classes = 4;
  EXPECT_NEAR(Classification(4, nullptr, {}).blank_loss(data), 1.5 * std::log(2), 1e-12);
}

/// x [N, 2] -> three logits.
std::unique_ptr<Teacher> teacher() {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 2}, {"batch", ""}}};
  b.graph.parameters["fc.weight"] = b.random({2, 3});
  b.add("Gemm", "fc", {"x", "fc.weight"});
  b.graph.outputs = {{"fc.out", at::kFloat, {-1, 3}, {"batch", ""}}};
  return std::make_unique<Teacher>(b.graph);
}

/// Of the loss of one sample by its logits, by differences. [3, 3]
at::Tensor curvature(const Classification& task, const at::Tensor& logits) {
  constexpr double kStep = 1e-2;
  const Batch sample{at::ones({1, 2}), at::tensor({2}, at::kLong)};
  const at::Tensor steps = kStep * at::eye(3, at::kDouble);
  const auto loss = [&](int64_t i, double a, int64_t j, double b) {
    return task.loss({logits + a * steps[i] + b * steps[j]}, sample).item<double>();
  };
  at::Tensor result = at::empty({3, 3}, at::kDouble);
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3; ++j)
      result[i][j] =
          (loss(i, 1, j, 1) - loss(i, 1, j, -1) - loss(i, -1, j, 1) + loss(i, -1, j, -1)) /
          (4 * kStep * kStep);
  return result;
}

// With labels alone, with both, and with the teacher alone.
TEST(Classification, ProbesTheCurvatureOfItsLoss) {
  const at::Tensor logits = at::tensor({3.0, 1.0, -1.0}, at::kDouble).view({1, 3});
  constexpr int64_t kDraws = 40000;
  for (const double share : {0.0, 0.7, 1.0}) {
    const Classification task(3, teacher(), {.distillation = share, .temperature = 4});
    const at::Tensor rows = logits.expand({kDraws, 3}).clone().requires_grad_(true);
    const at::Tensor g = torch::autograd::grad({task.probe({rows}, 5)}, {rows})[0];
    const at::Tensor found = g.t().mm(g) / kDraws, expected = curvature(task, logits);
    constexpr double kTolerance = 0.01;  // six standard errors
    EXPECT_LT((found - expected).abs().max().item<double>(), kTolerance) << share << "\n"
                                                                         << found << "\n"
                                                                         << expected;
  }
}

}  // namespace
}  // namespace crrm
