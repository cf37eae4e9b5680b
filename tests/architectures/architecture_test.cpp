#include "crrm/architectures/architecture.h"

#include <gmock/gmock.h>

#include "crrm/base/error.h"
#include "crrm/coupling/cost.h"
#include "crrm/graph/executor.h"
#include "crrm/graph/shapes.h"

namespace crrm {
namespace {

using testing::HasSubstr;

Graph usual(const std::string& name, int64_t classes) {
  return build(name, find_architecture(name).usual, classes, /*seed=*/0);
}

// conv 20 (25 + 1) + 50 (20 25 + 1) + fc 500 (800 + 1) + 10 (500 + 1) = 431 080, the count that the
// literature gives for Caffe's LeNet-5.
TEST(Architectures, LeNet5HasItsPublishedSize) {
  const Cost whole = cost(usual("lenet5", 10));
  EXPECT_EQ(whole.params, 431080);
  // 24^2 20 25 + 8^2 50 20 25 + 800 500 + 500 10
  EXPECT_EQ(whole.macs, 288000 + 1600000 + 400000 + 5000);
}

TEST(Architectures, LeNet300100HasItsPublishedSize) {
  const Cost whole = cost(usual("lenet-300-100", 10));
  EXPECT_EQ(whole.params, 266610);
  EXPECT_EQ(whole.macs, 784 * 300 + 300 * 100 + 100 * 10);
}

// Parameters: akamaster/pytorch_resnet_cifar10, README, and the files of its weights. Each of the
// depth - 2 convolutions costs 9 C^2 H W = 9 2^18, but the first of the second and third stage half
// of that.
TEST(Architectures, CifarResNetsHaveTheirPublishedSizes) {
  constexpr int64_t kFirst = 27 * 16 * 1024, kConv = 9 * 16 * 16 * 1024, kHead = 640;
  for (const auto& [depth, params] : {std::pair<int64_t, int64_t>{20, 269722},
                                      {32, 464154},
                                      {44, 658586},
                                      {56, 853018},
                                      {110, 1727962}}) {
    const Cost whole = cost(usual(fmt::format("resnet{}", depth), 10));
    EXPECT_EQ(whole.params, params);
    EXPECT_EQ(whole.macs, kFirst + (depth - 2) * kConv - kConv + kHead) << depth;
  }
}

// Two 1 x 1 convolutions with their batch normalisations more.
TEST(Architectures, OptionBProjects) {
  const Cost padded = cost(usual("resnet20", 10)), projected = cost(usual("resnet20-b", 10));
  EXPECT_EQ(projected.params - padded.params, 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64);
  EXPECT_EQ(projected.macs - padded.macs, 16 * 32 * 256 + 32 * 64 * 64);
}

// docs.pytorch.org/vision/stable/models.html: parameters, and GFLOPS, which are
// multiply-accumulates there.
TEST(Architectures, TorchvisionsHaveTheirPublishedSizes) {
  const auto check = [](const std::string& name, int64_t params, double billions, double digit) {
    const Cost whole = cost(usual(name, 1000));
    EXPECT_EQ(whole.params, params) << name;
    EXPECT_NEAR(static_cast<double>(whole.macs) / 1e9, billions, digit / 2) << name;
  };
  check("resnet18", 11689512, 1.814, 1e-3);
  check("resnet34", 21797672, 3.664, 1e-3);
  check("resnet50", 25557032, 4.089, 1e-3);
  check("mobilenet-v2", 3504872, 0.301, 1e-3);
  check("vgg16-bn", 138365992, 15.47, 1e-2);
}

// 14 714 688 in the convolutions, 2 x 4 224 in their batch normalisations, 5 130 in the last layer:
// "VGG16" of kuangliu/pytorch-cifar.
TEST(Architectures, VggEndsInOneLayerForSmallImages) {
  const Graph graph = build("vgg16-bn", {3, 32, 32}, 10, 0);
  EXPECT_EQ(cost(graph).params, 14728266);
  EXPECT_EQ(graph.parameters.at("classifier.weight").sizes(), at::IntArrayRef({10, 512}));
}

// The tensors of their published weights, without the moving statistics.
TEST(Architectures, ThoseOfOtherFrameworksHaveTheirPublishedSizes) {
  EXPECT_EQ(cost(usual("resnet8", 10)).params, 78666 - 480);
  EXPECT_EQ(cost(usual("darknet-tiny", 1000)).params, 1046488 - 4384);
}

TEST(Architectures, WidthsFollowTheName) {
  const Graph mlp = build("mlp:7,5", {4}, 3, 0);
  EXPECT_EQ(cost(mlp).params, 4 * 7 + 7 + 7 * 5 + 5 + 5 * 3 + 3);
  const Graph ae = build("ae:6,2", {1, 2, 2}, 0, 0);
  EXPECT_EQ(cost(ae).params, 4 * 6 + 6 + 6 * 2 + 2 + 2 * 6 + 6 + 6 * 4 + 4);
  const at::Tensor y = Executor(ae).run({at::ones({3, 1, 2, 2})})[0];
  EXPECT_EQ(y.sizes(), at::IntArrayRef({3, 1, 2, 2}));
  EXPECT_TRUE(find_architecture("ae:6,2").reconstructs);
}

/// The smallest sample that it reads, and any name for a family with widths.
std::pair<std::string, Shape> smallest(const Architecture& architecture) {
  const Shape sample = architecture.smallest.empty() ? Shape{1, 2, 2} : architecture.smallest;
  return {architecture.name + (architecture.takes_widths ? ":6,5" : ""), sample};
}

at::Tensor outputs(const std::string& name, const Shape& sample, uint64_t seed) {
  Shape batch = {3};
  batch.insert(batch.end(), sample.begin(), sample.end());
  return Executor(build(name, sample, 7, seed)).run({at::ones(batch)})[0];
}

TEST(Architectures, AllReadTheirSmallestSample) {
  for (const Architecture& architecture : architectures()) {
    SCOPED_TRACE(architecture.name);
    const auto [name, sample] = smallest(architecture);
    const at::Tensor y = outputs(name, sample, 1);
    EXPECT_EQ(y.size(0), 3);
    EXPECT_EQ(y.numel(), 3 * (architecture.reconstructs ? 4 : 7));
    EXPECT_TRUE(at::isfinite(y).all().item<bool>());
  }
}

TEST(Architectures, WeightsDependOnTheSeedAlone) {
  for (const std::string name : {"lenet5", "resnet20", "ae:3"}) {
    const at::Tensor first = outputs(name, {1, 28, 28}, 1);
    EXPECT_TRUE(first.equal(outputs(name, {1, 28, 28}, 1))) << name;
    EXPECT_FALSE(first.equal(outputs(name, {1, 28, 28}, 2))) << name;
  }
}

// 300 x 784 draws: the variance's standard error is sqrt(2 / 235200) = 0.3 % of it.
TEST(Architectures, WeightsHaveTheVarianceOfHe) {
  const Graph graph = usual("lenet-300-100", 10);
  const at::Tensor weight = graph.parameters.at("fc1.weight").to(at::kDouble);
  EXPECT_NEAR(weight.var().item<double>() / (2.0 / 784), 1, 0.015);
}

// What stays whole is what the network reads and gives, and the one channel that each kernel of a
// depthwise convolution sees.
TEST(Architectures, AllOfTheirChannelsCanLeave) {
  for (const Architecture& architecture : architectures()) {
    SCOPED_TRACE(architecture.name);
    const auto [name, sample] = smallest(architecture);
    const Graph graph = build(name, sample, 7, 0);
    const Coupling coupling(graph,
                            infer_shapes(graph, input_shapes(graph, kCouplingBatch, {sample})));
    for (const FrozenAxis& axis : coupling.frozen()) {
      if (!is_width(axis) || axis.stays == 1) continue;
      EXPECT_THAT(axis.reason, HasSubstr("of the network")) << axis.member.parameter;
    }
  }
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
  EXPECT_THAT(text("lenet6", {1, 28, 28}), HasSubstr("did you mean lenet5?"));
  EXPECT_THAT(text("lenet6", {1, 28, 28}), HasSubstr("mlp:W,W,..."));
  EXPECT_THAT(text("lenet5", {1, 8, 8}), HasSubstr("at least 16 x 16 pixels"));
  EXPECT_THAT(text("digits", {64}), HasSubstr("[64]"));
  EXPECT_THAT(text("mlp", {64}), HasSubstr("expected  mlp:W,W,..."));
  EXPECT_THAT(text("digits:3", {1, 8, 8}), HasSubstr("expected  digits"));
  for (const std::string bad : {"mlp:", "mlp:3,", "mlp:3,,2", "mlp:0", "mlp:-3", "mlp:3x",
                                "mlp:9999999", "mlp:99999999999999999999"})
    EXPECT_THAT(text(bad, {64}), HasSubstr("widths from 1 to 1000000")) << bad;
}

}  // namespace
}  // namespace crrm
