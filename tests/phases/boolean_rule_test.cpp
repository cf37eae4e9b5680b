#include "crrm/phases/boolean_rule.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <numbers>

namespace crrm {
namespace {

using testing::DoubleNear;

TEST(BooleanTask, HasEveryInputOnceAndBalancedLabels) {
  const BooleanTask task = boolean_task(0);
  const at::Tensor bits = (task.inputs > 0).to(at::kLong);
  const at::Tensor numbers =
      (bits * at::bitwise_left_shift(at::ones({12}, at::kLong), at::arange(12))).sum(1);
  EXPECT_TRUE(at::equal(numbers, at::arange(4096)));
  EXPECT_TRUE(at::equal(task.inputs.abs(), at::ones({4096, 12})));
  // 4096 draws of p near 0 or 1: the deviation of their mean is below 0.001.
  EXPECT_THAT(task.labels.to(at::kDouble).mean().item<double>(), DoubleNear(0.497, 0.004));
}

// 0.992 bits, as numpy gives for the same rule.
TEST(BooleanTask, LabelsTellNearlyOneBit) {
  const BooleanTask task = boolean_task(0);
  EXPECT_THAT(task.positive.mean().item<double>(), DoubleNear(0.4968, 1e-3));
  EXPECT_THAT(rule_information(task.positive) / std::numbers::ln2, DoubleNear(0.992, 5e-4));
}

// A turn of the icosahedron by 120 degrees about (1, 1, 1) permutes its vertices cyclically: here
// each three that follow each other. Charges moved so have the same dipole length.
TEST(BooleanTask, DoesNotChangeWhenTheSphereIsTurned) {
  const BooleanTask task = boolean_task(0);
  const at::Tensor turned = task.inputs.view({4096, 4, 3}).roll({1}, {2}).reshape({4096, 12});
  const at::Tensor index = ((turned > 0).to(at::kLong) *
                            at::bitwise_left_shift(at::ones({12}, at::kLong), at::arange(12)))
                               .sum(1);
  EXPECT_TRUE(at::allclose(task.positive.index_select(0, index), task.positive, 1e-9, 1e-12));
}

TEST(BooleanTask, DrawsLabelsFromTheSeed) {
  EXPECT_TRUE(at::equal(boolean_task(3).labels, boolean_task(3).labels));
  EXPECT_FALSE(at::equal(boolean_task(3).labels, boolean_task(4).labels));
}

// p = 1/2 everywhere tells nothing; p in {0, 1} by halves tells ln 2.
TEST(RuleInformation, IsNothingOfACoinAndOneBitOfARule) {
  EXPECT_THAT(rule_information(at::full({4}, 0.5, at::kDouble)), DoubleNear(0, 1e-15));
  const at::Tensor rule = at::tensor({0.0, 1.0, 0.0, 1.0}, at::kDouble);
  EXPECT_THAT(rule_information(rule), DoubleNear(std::numbers::ln2, 1e-15));
}

}  // namespace
}  // namespace crrm
