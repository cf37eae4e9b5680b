#include "crrm/train/evaluator.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "crrm/architectures/architecture.h"
#include "crrm/train/classification.h"
#include "tests/train/stripes.h"

namespace crrm {
namespace {

class EvaluatorTest : public testing::Test {
 protected:
  EvaluatorTest() {
    network_.observe(at::arange(1, network_.units() + 2, at::kDouble).unsqueeze(0));
    network_.control({{Resource::macs, network_.cost().macs / 2}});
  }

  Graph graph_ = build("digits", {1, 8, 8}, 4, /*seed=*/3);
  Classification task_{4, nullptr, {.distillation = 0}};
  RunData data_{{}, test::stripes(100, 1), test::stripes(60, 2), {}};
  RunOptions options_;
  GatedNetwork network_{graph_, {{1, 8, 8}}, {}};
  const Evaluator evaluator_{task_, data_, options_};
};

// What is closed counts as zero before it is cut away, after that, and at the original size.
TEST_F(EvaluatorTest, MaskedAndCutAreOneNetwork) {
  const Evaluation closed = evaluator_.held_out(network_);
  network_.compact();
  const Graph small = network_.plain();
  ASSERT_LT(cost(small, {{1, 8, 8}}).macs, cost(graph_, {{1, 8, 8}}).macs);
  for (const Evaluation& same :
       {evaluator_.held_out(network_), evaluator_.plain(small, data_.held_out),
        evaluator_.masked(network_, small, data_.held_out)}) {
    EXPECT_EQ(same.samples, 100);
    EXPECT_EQ(same.metric, closed.metric);
    EXPECT_NEAR(same.loss, closed.loss, 1e-6);
  }
  EXPECT_NE(closed.loss, evaluator_.plain(graph_, data_.held_out).loss);
}

TEST_F(EvaluatorTest, JudgesOtherParametersInTheSameNetwork) {
  Graph other = clone(network_.gated());
  for (auto& [name, tensor] : other.parameters)
    if (tensor.is_floating_point()) tensor.detach().zero_();
  // Logits that are all alike: the loss of a network that knows nothing.
  EXPECT_NEAR(evaluator_.held_out(network_, other).loss, std::log(4.0), 1e-6);
  EXPECT_NE(evaluator_.held_out(network_).loss, evaluator_.held_out(network_, other).loss);
}

TEST_F(EvaluatorTest, ReadsTheTestPartForEveryStage) {
  network_.compact();
  const Graph small = network_.plain();
  std::vector<Stage> stages = {{"dense", graph_, {}, std::nullopt},
                               {"masked", {}, {}, std::nullopt},
                               {"cut", small, {}, std::nullopt}};
  evaluator_.read_test(network_, stages);
  EXPECT_EQ(stages[0].test->loss, evaluator_.plain(graph_, data_.test).loss);
  EXPECT_EQ(stages[2].test->loss, evaluator_.plain(small, data_.test).loss);
  EXPECT_NEAR(stages[1].test->loss, stages[2].test->loss, 1e-6);
  EXPECT_EQ(stages[1].test->samples, 60);
}

}  // namespace
}  // namespace crrm
