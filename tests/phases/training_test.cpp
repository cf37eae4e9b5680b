#include "crrm/phases/training.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/graph/executor.h"
#include "crrm/phases/information_plane.h"
#include "crrm/phases/quantise.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

Setup named(const std::string& name) {
  for (const auto& setups : {boolean_setups(0), control_setups(0)})
    for (const Setup& setup : setups)
      if (setup.name == name) return setup;
  ADD_FAILURE() << "no set-up " << name;
  return {};
}

at::Tensor logits(const Graph& network, const Setup& setup) {
  const at::NoGradGuard no_grad;
  return Executor(network).run({setup.observed.inputs})[0];
}

// log(1 + 7) in three steps: 1, 3, 7.
TEST(LogSpacedEpochs, BeginAtZeroAndEndAtTheLast) {
  EXPECT_THAT(log_spaced_epochs(7, 3), ElementsAre(0, 1, 3, 7));
  EXPECT_THAT(log_spaced_epochs(2, 20), ElementsAre(0, 1, 2));
}

TEST(QuantiseAfter, RoundsAndLetsGradientsPass) {
  Graph graph;
  graph.inputs = {{"x", at::kFloat, {-1, 2}, {"batch", ""}}};
  graph.nodes = {{.op = "Tanh",
                  .name = "t",
                  .domain = "",
                  .inputs = {"x"},
                  .outputs = {"y"},
                  .attributes = {}}};
  graph.outputs = {{"y", at::kFloat, {-1, 2}, {"batch", ""}}};
  const Graph rounded = quantise_after(graph, "Tanh", 0.25);
  const at::Tensor x = at::tensor({0.3F, -2.0F}).view({1, 2}).requires_grad_(true);
  const at::Tensor y = Executor(rounded).run({x})[0];
  // tanh(0.3) = 0.291 and tanh(-2) = -0.964
  EXPECT_TRUE(at::allclose(y, at::tensor({0.25F, -1.0F}).view({1, 2})));
  y.sum().backward();
  EXPECT_TRUE(at::allclose(x.grad(), 1 - at::tanh(x.detach()).square()));
}

TEST(Train, LearnsTheRuleAndRepeatsItself) {
  crrm::Setup setup = named("relu");
  setup.epochs = 60;
  std::vector<double> accuracy, again;
  train(setup, 3, [&](const Snapshot& seen) { accuracy.push_back(seen.accuracy); });
  train(setup, 3, [&](const Snapshot& seen) { again.push_back(seen.accuracy); });
  EXPECT_EQ(accuracy, again);
  EXPECT_EQ(accuracy.size(), snapshot_epochs(setup).size());
  EXPECT_THAT(accuracy.front(), DoubleNear(0.5, 0.1));  // 819 samples: 0.017 is one deviation
  EXPECT_GT(accuracy.back(), 0.8);
}

// Labels that say nothing cannot be learned: test accuracy stays within 4 deviations of a coin's.
TEST(Train, FindsNothingInRandomLabels) {
  crrm::Setup setup = named("random-labels");
  setup.epochs = 20;
  double accuracy = 0;
  train(setup, 0, [&](const Snapshot& seen) { accuracy = seen.accuracy; });
  EXPECT_THAT(accuracy, DoubleNear(0.5, 4 * 0.5 / std::sqrt(819.0)));
}

// c w1, w2 / c with ReLU between: the same function at every scale.
TEST(Train, RescalesWithoutChangingTheFunction) {
  crrm::Setup setup = named("rescaled");
  setup.epochs = 10;
  std::vector<at::Tensor> seen, weights;
  train(setup, 0, [&](const Snapshot& snapshot) {
    seen.push_back(logits(snapshot.network, setup));
    weights.push_back(snapshot.network.parameters.at("fc1.weight"));
  });
  ASSERT_GT(seen.size(), 3U);
  for (const at::Tensor& other : seen) EXPECT_TRUE(at::allclose(other, seen[0], 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(weights.back(), 0.01 * weights.front()));
}

TEST(Train, GivesTheRatesOfGatesWhileTheyWork) {
  crrm::Setup setup = named("crrm");
  setup.epochs = 40;
  size_t looks = 0;
  train(setup, 0, [&](const Snapshot& seen) {
    ++looks;
    EXPECT_EQ(seen.gate_rates.size(), 3U);  // as many hidden layers
    for (const auto& [layer, rate] : seen.gate_rates) {
      EXPECT_TRUE(std::isfinite(rate)) << layer;
      EXPECT_GT(rate, 0) << layer;
    }
  });
  EXPECT_EQ(looks, snapshot_epochs(setup).size());
}

TEST(InformationPlane, HasACurveForEverySeedChannelAndLayer) {
  crrm::Setup setup = named("quantised");
  setup.epochs = 3;
  const nlohmann::ordered_json plane = information_plane(setup, 2, 0, [](int64_t, int64_t) {});
  EXPECT_EQ(plane["layers"].size(), 5U);  // no channel behind the outputs
  EXPECT_EQ(plane["curves"].size(), 2 * 1 * 5U);
  EXPECT_FALSE(plane["verdict"]["phase"]);  // two seeds claim nothing
  EXPECT_EQ(plane["verdict"]["changes"].size(), 5U);
  for (const auto& curve : plane["curves"]) {
    EXPECT_EQ(curve["x"].size(), plane["epochs"].size());
    EXPECT_THAT(curve["x"].get<std::vector<double>>(),
                Each(AllOf(Ge(0), Le(std::log(4096.0) + 1e-6))));
  }
}

// What was trained here and saved is seen as it was on the way.
TEST(InformationPlane, OfSavedTrainingsIsThatOfTheTrainings) {
  crrm::Setup setup = named("relu");
  setup.epochs = 4;
  const nlohmann::ordered_json trained = information_plane(setup, 2, 7, [](int64_t, int64_t) {});
  std::map<std::pair<int64_t, int64_t>, Graph> networks;
  for (int64_t training = 0; training < 2; ++training)
    train(setup, mix(7, static_cast<uint64_t>(training)), [&](const Snapshot& seen) {
      networks[{training, seen.epoch}] = clone(seen.network);
    });
  setup.saved = {.count = 2,
                 .epochs = snapshot_epochs(setup),
                 .network = [&](int64_t training, int64_t epoch) {
                   return networks.at({training, epoch});
                 }};
  const nlohmann::ordered_json saved = information_plane(setup, 5, 0, [](int64_t, int64_t) {});
  EXPECT_EQ(saved, trained);
}

TEST(InformationPlane, RefusesTrainingsOfOtherNetworks) {
  crrm::Setup setup = named("relu");
  setup.saved = {.count = 2, .epochs = {1}, .network = [&](int64_t training, int64_t) {
                   return named(training == 0 ? "relu" : "crrm").network(0);
                 }};
  EXPECT_THROW(information_plane(setup, 2, 0, [](int64_t, int64_t) {}), InputError);
}

}  // namespace
}  // namespace crrm
