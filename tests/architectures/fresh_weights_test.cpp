#include "crrm/architectures/fresh_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/small_network.h"

namespace crrm {
namespace {

// Fan-in of conv1 is 3 x 9, of conv2 6 x 9, of fc 6; a standard deviation over n weights is that of
// the law within 4 / sqrt(2 n).
TEST(FreshWeights, AreDrawnByFanIn) {
  Graph graph = test::small_network();
  graph.parameters["fc.weight"] = at::zeros({test::kStream, 400});
  graph.parameters["fc.bias"] = at::ones({400});
  draw_fresh_weights(graph, {{3, 8, 8}}, 5);
  const auto expect_deviation = [&](const std::string& name, double fan_in) {
    const at::Tensor& weight = graph.parameters.at(name);
    const double law = std::sqrt(2 / fan_in);
    EXPECT_NEAR(weight.std().item<double>(), law,
                law * 4 / std::sqrt(2.0 * static_cast<double>(weight.numel())))
        << name;
  };
  expect_deviation("conv1.weight", 27);
  expect_deviation("conv2.weight", 54);
  expect_deviation("fc.weight", 6);
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
