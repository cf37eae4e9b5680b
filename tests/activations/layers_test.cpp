#include "crrm/activations/layers.h"

#include <gmock/gmock.h>

#include "../small_network.h"
#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Shape kSample = {3, 8, 8};

std::vector<std::string> names(const std::vector<Layer>& layers) {
  std::vector<std::string> all;
  for (const Layer& layer : layers) all.push_back(layer.name);
  return all;
}

Fault fault_of(const std::vector<std::string>& asked) {
  try {
    find_layers(test::small_network(), kSample, asked);
  } catch (const InputError& error) {
    return error.fault();
  }
  return {};
}

// conv1 reads x, conv2 and the sum's other side relu1, conv3 relu2, fc the flattened mean.
TEST(Layers, UsuallyAreWhatContractionsReadBetweenInputAndOutput) {
  const std::vector<Layer> layers = usual_layers(test::small_network(), kSample);
  EXPECT_THAT(names(layers), ElementsAre("x", "relu1.out", "relu2.out", "flat.out", "fc.out"));
  EXPECT_EQ(layers[0].op, "Input");
  EXPECT_EQ(layers[2].op, "Relu");
  EXPECT_THAT(layers[2].shape, ElementsAre(test::kInner, 8, 8));
  EXPECT_EQ(layers[2].features, test::kInner * 64);
}

// An input that is reshaped first is the input.
TEST(Layers, AreNoInputsInAnotherShape) {
  Graph network = test::small_network();
  network.nodes.insert(network.nodes.begin(), {.op = "Reshape",
                                               .name = "same",
                                               .domain = "",
                                               .inputs = {"x", "shape"},
                                               .outputs = {"same.out"},
                                               .attributes = {}});
  network.parameters["shape"] = at::tensor({0, 0, 0, 0}, at::kLong);  // 0: as it is
  network.nodes[1].inputs[0] = "same.out";
  EXPECT_THAT(names(usual_layers(network, kSample)),
              ElementsAre("x", "relu1.out", "relu2.out", "flat.out", "fc.out"));
}

TEST(Layers, AreFoundByValueNodeAndPatternEachOnceInTheNetworksOrder) {
  const Graph network = test::small_network();
  EXPECT_THAT(names(find_layers(network, kSample, {"relu2", "conv?.out", "conv1.out"})),
              ElementsAre("conv1.out", "conv2.out", "relu2.out", "conv3.out"));
}

TEST(Layers, AnUnknownNameGivesTheNearest) {
  const Fault fault = fault_of({"relu1", "relu4.out"});
  EXPECT_EQ(fault.found, "\"relu4.out\"");
  EXPECT_THAT(fault.hint, HasSubstr("did you mean relu"));
}

// A value that does not follow the batch is no layer: named, it is refused; a pattern passes it by.
TEST(Layers, WithoutABatchAreRefused) {
  Graph network = test::small_network();
  network.nodes.push_back({.op = "Shape",
                           .name = "count",
                           .domain = "",
                           .inputs = {"x"},
                           .outputs = {"count.out"},
                           .attributes = {}});
  EXPECT_THAT(names(find_layers(network, kSample, {"*out"})),
              testing::Not(testing::Contains("count.out")));
  EXPECT_THROW(find_layers(network, kSample, {"count"}), InputError);
}

}  // namespace
}  // namespace crrm
