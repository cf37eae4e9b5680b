// Cases of losses, of quantisation, of sampling at places that are data, and of outputs beyond the
// first.
#include "crrm/base/error.h"
#include "crrm/graph/labels.h"
#include "crrm/graph/operator.h"
#include "tests/conformance/operator_case.h"

namespace crrm {
namespace {

const Shape kImage{2, 4, 7, 6};

std::string word(const char* text) {
  return text;
}
at::Tensor bytes(Ints values, at::ScalarType type) {
  return ints(std::move(values)).to(type);
}

void add_losses(std::vector<Case>& list) {
  const at::Tensor classes = ints({4, 0, 2}), places = ints({0, 1, 2, 4, 3, 2, 2, 0, 1, 1, 3, 4});
  for (const char* reduction : {"none", "sum", "mean"})
    for (const at::Tensor& weights : {at::Tensor(), positive({5})}) {
      const Attributes plain{{"reduction", word(reduction)}};
      const Attributes ignoring{{"reduction", word(reduction)}, {"ignore_index", int64_t{2}}};
      for (const Attributes& a : {plain, ignoring}) {
        list.push_back({"NegativeLogLikelihoodLoss", {{3, 5}}, {classes, weights}, a});
        list.push_back(
            {"NegativeLogLikelihoodLoss", {{2, 5, 3, 2}}, {places.reshape({2, 3, 2}), weights}, a});
        list.push_back({"SoftmaxCrossEntropyLoss", {{3, 5}}, {classes, weights}, a});
        list.push_back({"SoftmaxCrossEntropyLoss",
                        {{2, 5, 3, 2}},
                        {places.reshape({2, 3, 2}), weights},
                        a,
                        2});
      }
    }
  list.push_back(
      {"SoftmaxCrossEntropyLoss", {{3, 5}}, {ints({4, -7, 2})}, {{"ignore_index", int64_t{-7}}}});
}

void add_quantisations(std::vector<Case>& list) {
  const at::Tensor scales = positive({4}) / 50;
  const at::Tensor grid = bytes({0, 1, 127, 255, 128, 7, 9, 200}, at::kByte).reshape({2, 4});
  list.push_back({"DequantizeLinear", {}, {grid, scalar(0.1), bytes({3}, at::kByte).squeeze()}});
  list.push_back({"DequantizeLinear", {}, {grid, scales, bytes({1, 2, 3, 0}, at::kByte)}});
  list.push_back({"DequantizeLinear", {}, {grid.to(at::kChar), scalar(0.1)}});
}

void add_samplings(std::vector<Case>& list) {
  for (const char* padding : {"zeros", "border", "reflection"})
    for (const int64_t corners : {0, 1}) {
      const auto sample = [&](Shape x, Shape grid, const char* mode) {
        list.push_back(
            {"GridSample",
             {std::move(x), std::move(grid)},
             {},
             {{"mode", word(mode)}, {"padding_mode", word(padding)}, {"align_corners", corners}}});
      };
      for (const char* mode : {"linear", "nearest", "cubic"})
        sample({2, 3, 5, 6}, {2, 4, 3, 2}, mode);
      for (const char* mode : {"linear", "nearest"}) sample({2, 3, 4, 5, 6}, {2, 2, 4, 3, 3}, mode);
    }
}

void add_further_outputs(std::vector<Case>& list) {
  list.push_back({"LayerNormalization", {kImage}, {positive({6}), weight({6})}, {}, 3});
  list.push_back({"LayerNormalization", {kImage}, {positive({7, 6})}, {{"axis", int64_t{-2}}}, 3});
  list.push_back({"Dropout", {kImage}, {}, {}, 2});
  list.push_back(
      {"Dropout", {kImage}, {scalar(0).squeeze(), bytes({1}, at::kBool).squeeze()}, {}, 2});
}

std::vector<Case> cases() {
  std::vector<Case> list;
  add_losses(list);
  add_quantisations(list);
  add_samplings(list);
  add_further_outputs(list);
  list.push_back({"Selu", {kImage}, {}, {{"alpha", 2.0}, {"gamma", 3.0}}});
  return list;
}

CRRM_CHECK_OPERATORS(Losses, cases());

/// One node of the inputs x0, x1, ... and the outputs y0, y1, ..., coupled.
struct Coupled {
  Coupled(const std::string& op, const std::vector<Shape>& inputs, size_t outputs,
          Attributes attributes = {}) {
    Node node{.op = op,
              .name = "node",
              .domain = "",
              .inputs = {},
              .outputs = {},
              .attributes = std::move(attributes)};
    for (size_t i = 0; i < inputs.size(); ++i) {
      node.inputs.push_back(fmt::format("x{}", i));
      graph.inputs.push_back({node.inputs.back(), at::kFloat, inputs[i], {}});
    }
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(fmt::format("y{}", i));
    graph.nodes.push_back(node);
    shapes = infer_shapes(graph, inputs);
    labels = std::make_unique<Labels>(graph, shapes);
    get_operator(node).couple(node, *labels);
    labels->resolve();
  }
  Label root(const std::string& value, int64_t axis, int64_t index) const {
    return labels->find(labels->axis(value, axis)[index]);
  }
  bool frozen(const std::string& value, int64_t axis) const {
    return labels->frozen(labels->axis(value, axis));
  }
  Graph graph;
  ShapeTable shapes;
  std::unique_ptr<Labels> labels;
};

TEST(LossCoupling, FreezesAllAndSaysWhy) {
  const Coupled loss("SoftmaxCrossEntropyLoss", {{3, 5}, {3}}, 2);
  for (const char* value : {"x0", "y1"})
    for (const int64_t axis : {0, 1}) EXPECT_TRUE(loss.frozen(value, axis));
  EXPECT_EQ(loss.labels->reason(loss.root("x0", 1, 2)),
            "read by a loss (node \"node\" (SoftmaxCrossEntropyLoss))");
}

TEST(QuantizeCoupling, ScalesOfAnAxisLeaveWithItsIndices) {
  const Coupled quantised("QuantizeLinear", {{2, 4, 3}, {4}}, 1);
  EXPECT_FALSE(quantised.frozen("x0", 1));
  for (int64_t c = 0; c < 4; ++c) {
    EXPECT_EQ(quantised.root("x1", 0, c), quantised.root("y0", 1, c));
    EXPECT_EQ(quantised.root("x0", 1, c), quantised.root("y0", 1, c));
  }
  const Coupled dynamic("DynamicQuantizeLinear", {{2, 4, 3}}, 3);
  EXPECT_TRUE(dynamic.frozen("x0", 1));
}

TEST(GridSampleCoupling, PassesSamplesAndChannels) {
  const Coupled sampled("GridSample", {{2, 3, 5, 6}, {2, 4, 7, 2}}, 1);
  EXPECT_EQ(sampled.root("x0", 1, 2), sampled.root("y0", 1, 2));
  EXPECT_EQ(sampled.root("x1", 0, 1), sampled.root("y0", 0, 1));
  EXPECT_FALSE(sampled.frozen("y0", 1));
  for (const int64_t axis : {2, 3}) {
    EXPECT_TRUE(sampled.frozen("x0", axis));
    EXPECT_TRUE(sampled.frozen("y0", axis));
    EXPECT_TRUE(sampled.frozen("x1", axis));
  }
}

TEST(LayerNormalizationCoupling, StatisticsHaveTheAxesBefore) {
  const Coupled normalised("LayerNormalization", {{2, 4, 3}, {3}}, 3);
  for (const char* value : {"y1", "y2"}) {
    EXPECT_EQ(normalised.root(value, 1, 3), normalised.root("x0", 1, 3));
    EXPECT_FALSE(normalised.frozen(value, 1));
    EXPECT_TRUE(normalised.frozen(value, 2));
  }
}

Tensors run(const std::string& op, const Tensors& inputs, Attributes attributes = {}) {
  const Node node{.op = op,
                  .name = "node",
                  .domain = "",
                  .inputs = {},
                  .outputs = {"y"},
                  .attributes = std::move(attributes)};
  return get_operator(node).forward(node, inputs, /*training=*/false);
}

// By hand: ONNX Runtime is asked for results of bytes nowhere else.
TEST(Quantize, RoundsHalvesToEvenAndSaturates) {
  const at::Tensor x = at::tensor({-1.F, 0.5F, 1.5F, 1000.F, 1.F, -300.F}).reshape({3, 2});
  const at::Tensor unsigned_x = run("QuantizeLinear", {x, scalar(1)})[0];
  EXPECT_TRUE(at::equal(unsigned_x, bytes({0, 0, 2, 255, 1, 0}, at::kByte).reshape({3, 2})));
  // Column 1 on a grid of 2 around -3.
  const at::Tensor scales = at::tensor({1.F, 2.F}), zeros = bytes({10, -3}, at::kChar);
  const at::Tensor signed_x = run("QuantizeLinear", {x, scales, zeros})[0];
  EXPECT_TRUE(at::equal(signed_x, bytes({9, -3, 12, 127, 11, -128}, at::kChar).reshape({3, 2})));
}

TEST(Quantize, FindsTheRangeThatHoldsAllAndZero) {
  const Tensors y = run("DynamicQuantizeLinear", {at::tensor({-51.F, 0.F, 204.F, 3.2F})});
  EXPECT_EQ(y[1].item<float>(), 1);  // (204 + 51) / 255
  EXPECT_TRUE(at::equal(y[2], bytes({51}, at::kByte).squeeze()));
  EXPECT_TRUE(at::equal(y[0], bytes({0, 51, 255, 54}, at::kByte)));
  EXPECT_TRUE(at::equal(run("DynamicQuantizeLinear", {at::tensor({5.F, 3.F, 1.F})})[0],
                        bytes({255, 153, 51}, at::kByte)));
}

TEST(MaxPool, KnowsBytes) {
  for (const at::ScalarType type : {at::kByte, at::kChar}) {
    const at::Tensor x = bytes({1, 5, 3, 2, 0, 4}, type).reshape({1, 1, 2, 3});
    const at::Tensor y = run("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}})[0];
    EXPECT_TRUE(at::equal(y, bytes({5, 5}, type).reshape({1, 1, 1, 2})));
  }
}

struct Refusal {
  std::string op;
  Tensors inputs;
  Attributes attributes;
  std::string found;
};

TEST(LossRefusals, SayWhatWasFound) {
  const at::Tensor image = weight(kImage), channels = positive({4});
  const at::Tensor yes = bytes({1}, at::kBool).squeeze();
  const Refusal refusals[] = {
      {"Dropout", {image, scalar(0.5), yes}, {}, "training_mode, which is random"},
      {"Dropout", {image, at::Tensor(), yes}, {}, "training_mode, which is random"},
      {"BatchNormalization",
       {image, channels, channels, channels, channels},
       {{"training_mode", int64_t{1}}},
       "training_mode 1"},
      {"NegativeLogLikelihoodLoss",
       {weight({3, 5}), ints({0, 1, 2})},
       {{"reduction", word("max")}},
       "max"},
      {"QuantizeLinear", {image, positive({3})}, {}, "a tensor of shape [3]"},
      {"QuantizeLinear", {image, scalar(1)}, {{"block_size", int64_t{2}}}, "scales of blocks"},
      {"QuantizeLinear", {image, scalar(1)}, {{"output_dtype", int64_t{5}}}, "Short"},
      {"GridSample", {image, weight({2, 3, 3, 2})}, {{"mode", word("odd")}}, "odd"},
      {"GridSample", {weight({2, 3, 4}), weight({2, 3, 1})}, {}, "1"},
      {"GridSample",
       {weight({2, 3, 4, 5, 6}), weight({2, 3, 3, 3, 3})},
       {{"mode", word("cubic")}},
       "cubic"},
  };
  for (const Refusal& refusal : refusals) {
    try {
      run(refusal.op, refusal.inputs, refusal.attributes);
      ADD_FAILURE() << refusal.op << " took " << refusal.found;
    } catch (const InputError& error) {
      EXPECT_EQ(error.fault().place, fmt::format("node \"node\" ({})", refusal.op));
      EXPECT_EQ(error.fault().found, refusal.found);
    }
  }
}

}  // namespace
}  // namespace crrm
