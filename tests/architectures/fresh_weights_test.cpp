#include "crrm/architectures/fresh_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "crrm/architectures/architecture.h"
#include "crrm/graph/executor.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

/// A standard deviation over n weights is that of the law within 4 / sqrt(2 n).
void expect_variance(const Graph& graph, const std::string& name, double variance) {
  const at::Tensor& weight = graph.parameters.at(name);
  const double law = std::sqrt(variance);
  EXPECT_NEAR(weight.std().item<double>(), law,
              law * 4 / std::sqrt(2.0 * static_cast<double>(weight.numel())))
      << name;
}

// Fan-in of conv1 is 3 x 9, of conv2 6 x 9, of fc 6. Rectifiers follow the first two.
TEST(FreshWeights, AreDrawnByFanIn) {
  Graph graph = test::small_network();
  graph.parameters["fc.weight"] = at::zeros({test::kStream, 400});
  graph.parameters["fc.bias"] = at::ones({400});
  draw_fresh_weights(graph, {{3, 8, 8}}, 5);
  expect_variance(graph, "conv1.weight", 2.0 / 27);
  expect_variance(graph, "conv2.weight", 2.0 / 54);
  expect_variance(graph, "fc.weight", 1.0 / 6);
}

// The code and the output of an autoencoder are linear. What each layer hands on keeps its inputs'
// second moment, so the output has about the inputs' (random weights and 64 outputs: within a
// third).
TEST(FreshWeights, KeepTheScaleBehindLinearLayersToo) {
  Graph graph = build("ae:400,200", {1, 8, 8}, 0, /*seed=*/1);
  draw_fresh_weights(graph, {{1, 8, 8}}, 5);
  expect_variance(graph, "encoder.0.weight", 2.0 / 64);
  expect_variance(graph, "encoder.2.weight", 1.0 / 400);
  expect_variance(graph, "decoder.0.weight", 2.0 / 200);
  expect_variance(graph, "decoder.2.weight", 1.0 / 400);
  const at::Tensor x =
      at::randn({500, 1, 8, 8}, at::detail::createCPUGenerator(7), at::TensorOptions(at::kFloat));
  const at::Tensor y = Executor(graph).run({x})[0];
  EXPECT_NEAR(y.square().mean().item<double>(), 1, 1.0 / 3);
}

// x sigmoid(x) loses as much as a rectifier does; a sigmoid alone does not rectify.
TEST(FreshWeights, SeeARectifierThatIsWrittenOut) {
  for (const bool multiplied : {true, false}) {
    test::Builder b(/*seed=*/1);
    b.graph.inputs = {{"x", at::kFloat, {-1, 64}, {"batch", ""}}};
    b.graph.parameters["first"] = b.random({64, 400});
    b.graph.parameters["second"] = b.random({400, 64});
    b.add("MatMul", "one", {"x", "first"});
    b.add("Sigmoid", "gate", {"one.out"});
    if (multiplied) b.add("Mul", "product", {"one.out", "gate.out"});
    b.add("MatMul", "two", {multiplied ? "product.out" : "gate.out", "second"});
    b.graph.outputs = {{"two.out", at::kFloat, {-1, 64}, {"batch", ""}}};
    draw_fresh_weights(b.graph, {{64}}, 5);
    expect_variance(b.graph, "first", (multiplied ? 2.0 : 1.0) / 64);
    expect_variance(b.graph, "second", 1.0 / 400);
  }
}

TEST(FreshWeights, NormalisationsAndBiasesAreNeutral) {
  Graph graph = test::small_network();
  draw_fresh_weights(graph, {{3, 8, 8}}, 5);
  for (const char* one : {"bn1.scale", "bn1.var", "bn2.scale", "bn2.var"})
    EXPECT_TRUE(graph.parameters.at(one).eq(1).all().item<bool>()) << one;
  for (const char* zero : {"bn1.bias", "bn1.mean", "bn2.mean", "fc.bias"})
    EXPECT_TRUE(graph.parameters.at(zero).eq(0).all().item<bool>()) << zero;
}

TEST(FreshWeights, DependOnTheSeedAlone) {
  Graph first = test::small_network(1), second = test::small_network(2), third = first;
  draw_fresh_weights(first, {{3, 8, 8}}, 5);
  draw_fresh_weights(second, {{3, 8, 8}}, 5);
  draw_fresh_weights(third, {{3, 8, 8}}, 6);
  EXPECT_TRUE(at::equal(first.parameters.at("conv1.weight"), second.parameters.at("conv1.weight")));
  EXPECT_FALSE(at::equal(first.parameters.at("conv1.weight"), third.parameters.at("conv1.weight")));
}

}  // namespace
}  // namespace crrm
