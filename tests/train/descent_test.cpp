// A run whose held-out metric breaks down on its way: it returns to what it had before.
#include "crrm/train/descent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crrm/architectures/architecture.h"
#include "crrm/train/classification.h"
#include "crrm/train/run.h"
#include "tests/train/stripes.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kSteps = 8;  // an epoch, of 16 samples

/// Sees what is there, and from some moment on a network that is always wrong.
class FailingTask : public Classification {
 public:
  explicit FailingTask(const Graph& teacher)
      : Classification(4, std::make_unique<Teacher>(teacher), {}) {}

  Evaluation evaluate(const Forward& forward, const Dataset& data,
                      const Normalisation& normalisation, int64_t batch) const override {
    Evaluation seen = Classification::evaluate(forward, data, normalisation, batch);
    if (fails) seen.metric = 0;
    return seen;
  }

  bool fails = false;
};

/// Of a step: the checkpoint behind it, and the cost then.
struct Moment {
  int64_t step;
  TensorFile state;
};

class Rollback : public testing::Test {
 protected:
  Rollback() : network_(build("digits", {1, 8, 8}, 4, /*seed=*/3)), task_(network_) {
    options_.epochs = 5;
    options_.batch = 16;
    options_.probe_every = 2;
    options_.max_drop = 0.1;
    options_.observe_every = 0.025;  // a look a step
    options_.save_every_seconds = 0;
  }

  /// Fails behind step `last`.
  RunResult train(int64_t last) {
    RunObserver observer;
    observer.log = [&](const Json& line) {
      if (line["event"] == "rollback") rollbacks_.push_back(line["step"]);
      if (line["event"] == "point" && line["step"] >= last) task_.fails = true;
    };
    observer.save = [&](const TensorFile& file) {
      const Json state = Json::parse(file.metadata.at("state"));
      const int64_t step =
          state["epoch"].get<int64_t>() * kSteps + state["step_in_epoch"].get<int64_t>();
      Moment& moment = moments_.emplace_back(Moment{step, file});
      for (auto& [name, tensor] : moment.state.tensors) tensor = tensor.clone();
    };
    return crrm::Run(network_, network_, task_, data_, options_).train(observer);
  }

  const TensorFile& state_behind(int64_t step) const {
    for (const Moment& moment : moments_)
      if (moment.step == step) return moment.state;
    throw std::out_of_range("no checkpoint of that step");
  }

  Graph network_;
  FailingTask task_;
  RunData data_{test::stripes(16 * kSteps, 1), test::stripes(200, 2), {}, {}};
  RunOptions options_;
  std::vector<Moment> moments_;
  std::vector<int64_t> rollbacks_;
};

TEST_F(Rollback, ReturnsToTheLastStateWithinTheLimit) {
  constexpr int64_t kGood = 14;
  const RunResult result = train(kGood);
  ASSERT_EQ(rollbacks_.size(), 1);
  const int64_t step = rollbacks_[0];
  ASSERT_GT(step, kGood + 1);
  const TensorFile &before = state_behind(step), &after = state_behind(step + 1);
  const at::Tensor kept = before.tensors.at("good/network/alive");
  EXPECT_GT(kept.sum().item<int64_t>(), before.tensors.at("network/alive").sum().item<int64_t>());
  EXPECT_TRUE(kept.equal(after.tensors.at("network/alive")));
  EXPECT_TRUE(kept.equal(state_behind(kGood).tensors.at("good/network/alive")));
  // One step of training away from what was kept, and many from what there was.
  const at::Tensor bias = before.tensors.at("good/network/parameter/fc.bias");
  const auto distance = [&](const TensorFile& state) {
    return (state.tensors.at("network/parameter/fc.bias") - bias).norm().item<double>();
  };
  EXPECT_LT(distance(after), 0.5 * distance(before));
  EXPECT_EQ(std::count(result.alive.begin(), result.alive.end(), true), kept.sum().item<int64_t>());
}

TEST_F(Rollback, IsNotNeededWithinTheLimit) {
  options_.max_drop = 1;
  train(/*last=*/1000);
  EXPECT_TRUE(rollbacks_.empty());
}

// A trained network with running statistics far off: what a look sees does not depend on them, and
// weights do not change at this rate.
TEST(Look, TakesStatisticsAnew) {
  const RunData data{test::stripes(16 * kSteps, 1), test::stripes(200, 2), {}, {}};
  const Classification task(4, /*teacher=*/nullptr, {.distillation = 0});
  RunOptions options;
  options.epochs = 5;
  options.batch = 16;
  const Graph fresh = build("digits", {1, 8, 8}, 4, /*seed=*/3);
  const Graph trained =
      clone(crrm::Run(fresh, fresh, task, data, options).train({}).stages.back().graph);
  for (const Node& node : trained.nodes)
    if (node.op == "BatchNormalization") trained.parameters.at(node.inputs[3]).add_(1e6);
  options.schedule.learning_rate = 1e-9;
  options.max_drop = 0.2;
  const RunResult result = crrm::Run(trained, trained, task, data, options).train({});
  EXPECT_LT(result.stages[0].held_out.metric, 0.5);
  const auto seen = std::find_if(result.curve.begin(), result.curve.end(), [](const Json& point) {
    return !point["averaged_metric"].is_null();
  });
  ASSERT_NE(seen, result.curve.end());
  EXPECT_GT((*seen)["averaged_metric"].get<double>(), 0.9);
}

}  // namespace
}  // namespace crrm
