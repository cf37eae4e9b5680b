#include "crrm/architectures/architecture.h"

#include <gmock/gmock.h>

#include "crrm/base/error.h"
#include "crrm/coupling/cost.h"
#include "crrm/graph/executor.h"

namespace crrm {
namespace {

// conv 20 (25 + 1) + 50 (20 25 + 1) + fc 500 (800 + 1) + 10 (500 + 1) = 431 080, the count that the
// literature gives for Caffe's LeNet-5.
TEST(Architectures, LeNet5HasItsPublishedSize) {
  const Graph graph = build("lenet5", {1, 28, 28}, 10, /*seed=*/0);
  const Cost whole = cost(graph);
  EXPECT_EQ(whole.params, 431080);
  // 24^2 20 25 + 8^2 50 20 25 + 800 500 + 500 10
  EXPECT_EQ(whole.macs, 288000 + 1600000 + 400000 + 5000);
}

TEST(Architectures, LeNet300100HasItsPublishedSize) {
  const Graph graph = build("lenet-300-100", {1, 28, 28}, 10, /*seed=*/0);
  EXPECT_EQ(cost(graph).params, 266610);
  EXPECT_EQ(cost(graph).macs, 784 * 300 + 300 * 100 + 100 * 10);
}

TEST(Architectures, AllGiveLogitsThatDependOnTheSeedAlone) {
  for (const Architecture& architecture : architectures()) {
    SCOPED_TRACE(architecture.name);
    const at::Tensor x = at::ones({3, 1, 28, 28});
    const at::Tensor first = Executor(build(architecture.name, {1, 28, 28}, 7, 1)).run({x})[0];
    const at::Tensor again = Executor(build(architecture.name, {1, 28, 28}, 7, 1)).run({x})[0];
    const at::Tensor other = Executor(build(architecture.name, {1, 28, 28}, 7, 2)).run({x})[0];
    EXPECT_EQ(first.sizes(), at::IntArrayRef({3, 7}));
    EXPECT_TRUE(first.equal(again));
    EXPECT_FALSE(first.equal(other));
  }
}

// 300 x 784 draws: the variance's standard error is sqrt(2 / 235200) = 0.3 % of it.
TEST(Architectures, WeightsHaveTheVarianceOfHe) {
  const Graph graph = build("lenet-300-100", {1, 28, 28}, 10, /*seed=*/0);
  const at::Tensor weight = graph.parameters.at("fc1.weight").to(at::kDouble);
  EXPECT_NEAR(weight.var().item<double>() / (2.0 / 784), 1, 0.015);
}

TEST(Architectures, EachReadsTheSamplesThatItWasMadeFor) {
  for (const Architecture& architecture : architectures())
    EXPECT_NO_THROW(build(architecture.name, usual_sample(architecture.name), 10, 0))
        << architecture.name;
  EXPECT_EQ(usual_sample("digits"), Shape({1, 8, 8}));
}

TEST(Architectures, ErrorsNameTheNearestAndTheSmallest) {
  const auto text = [](const std::string& name, const Shape& sample) {
    try {
      build(name, sample, 10, 0);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(text("lenet6", {1, 28, 28}), testing::HasSubstr("did you mean lenet5?"));
  EXPECT_THAT(text("lenet5", {1, 8, 8}), testing::HasSubstr("at least 16 x 16 pixels"));
  EXPECT_THAT(text("digits", {64}), testing::HasSubstr("[64]"));
}

}  // namespace
}  // namespace crrm
