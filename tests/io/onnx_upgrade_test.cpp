// Forms before and after: onnx/onnx, docs/Changelog.md.
#include <gmock/gmock.h>

#include <limits>

#include "tests/io/model_builder.h"

namespace crrm::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Integers = std::vector<int64_t>;

class UpgradeOnnx : public OnnxFile {
 protected:
  /// Reads one node `op` of x and more inputs (parameters), of outputs y and more.
  Graph upgraded(int64_t opset, const std::string& op, const std::vector<std::string>& attributes,
                 const std::vector<std::string>& more_inputs = {},
                 const std::vector<std::string>& more_outputs = {}) const {
    return read(model(opset, op, attributes, more_inputs, more_outputs));
  }
  static Model model(int64_t opset, const std::string& op,
                     const std::vector<std::string>& attributes,
                     const std::vector<std::string>& more_inputs = {},
                     const std::vector<std::string>& more_outputs = {}) {
    Model model;
    model.opset = opset;
    std::vector<std::string> inputs = {"x"}, outputs = {"y"};
    inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
    outputs.insert(outputs.end(), more_outputs.begin(), more_outputs.end());
    model.nodes = {node(op, inputs, outputs, attributes, "op")};
    model.inputs = {value("x", {-1, 4, 6, 6})};
    model.outputs = {value("y", {-1, 4, 6, 6})};
    for (const std::string& name : more_inputs)
      model.initializers.push_back(floats(name, {2}, {1, 2}));
    return model;
  }
};

/// The integers of the parameter that is input `i` of the graph's last node.
Integers integers_of(const Graph& graph, size_t i) {
  const at::Tensor& tensor = graph.parameters.at(graph.nodes.back().inputs.at(i));
  EXPECT_EQ(tensor.scalar_type(), at::kLong);
  EXPECT_EQ(tensor.dim(), 1);
  return {tensor.const_data_ptr<int64_t>(), tensor.const_data_ptr<int64_t>() + tensor.numel()};
}

/// The shape of the parameter that is input `i` of the graph's last node.
Integers shape_of(const Graph& graph, size_t i) {
  return graph.parameters.at(graph.nodes.back().inputs.at(i)).sizes().vec();
}

/// The scalar that is input `i` of the graph's last node.
at::Tensor scalar_of(const Graph& graph, size_t i) {
  const at::Tensor& tensor = graph.parameters.at(graph.nodes.back().inputs.at(i));
  EXPECT_EQ(tensor.dim(), 0);
  return tensor;
}

std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> result;
  for (const Node& node : graph.nodes) result.push_back(node.op);
  return result;
}

TEST_F(UpgradeOnnx, SliceTakesInputs) {
  const Graph graph =
      upgraded(9, "Slice", {ints("starts", {1, 0}), ints("ends", {3, 4}), ints("axes", {1, 2})});
  EXPECT_EQ(integers_of(graph, 1), Integers({1, 0}));
  EXPECT_EQ(integers_of(graph, 2), Integers({3, 4}));
  EXPECT_EQ(integers_of(graph, 3), Integers({1, 2}));
  EXPECT_TRUE(graph.nodes[0].attributes.empty());
}

struct Axes {
  const char* op;
  int64_t changed;  ///< the opset in which the axes became an input
};

TEST_F(UpgradeOnnx, AxesBecomeAnInput) {
  for (const Axes& c :
       {Axes{"Squeeze", 13}, Axes{"Unsqueeze", 13}, Axes{"ReduceSum", 13}, Axes{"ReduceMean", 18},
        Axes{"ReduceMax", 18}, Axes{"ReduceMin", 18}, Axes{"ReduceProd", 18}, Axes{"ReduceL1", 18},
        Axes{"ReduceL2", 18}, Axes{"ReduceLogSum", 18}, Axes{"ReduceLogSumExp", 18},
        Axes{"ReduceSumSquare", 18}}) {
    SCOPED_TRACE(c.op);
    for (const int64_t opset : {int64_t{9}, c.changed - 1}) {
      const Graph graph = upgraded(opset, c.op, {ints("axes", {1, 3})});
      EXPECT_EQ(integers_of(graph, 1), Integers({1, 3}));
      EXPECT_FALSE(graph.nodes[0].has("axes"));
    }
    EXPECT_EQ(upgraded(9, c.op, {}).nodes[0].inputs.size(), 1u);
    // In the newer form the attribute does not exist: nothing reads it.
    EXPECT_EQ(upgraded(c.changed, c.op, {ints("axes", {1})}).nodes[0].inputs.size(), 1u);
  }
}

TEST_F(UpgradeOnnx, ClipTakesInputs) {
  const Graph both = upgraded(10, "Clip", {real("min", 0), real("max", 6)});
  EXPECT_EQ(scalar_of(both, 1).item<float>(), 0);
  EXPECT_EQ(scalar_of(both, 2).item<float>(), 6);
  const Graph upper = upgraded(9, "Clip", {real("max", 6)});
  EXPECT_EQ(upper.nodes[0].inputs[1], "");
  EXPECT_EQ(scalar_of(upper, 2).item<float>(), 6);
}

TEST_F(UpgradeOnnx, ClipsBoundsHaveItsInputsType) {
  Model model = UpgradeOnnx::model(9, "Clip", {real("min", 0), real("max", 3e38F)});
  model.inputs = {value("x", {-1, 4}, 10)};
  const Graph graph = read(model);
  EXPECT_EQ(scalar_of(graph, 1).scalar_type(), at::kHalf);
  EXPECT_EQ(scalar_of(graph, 2).item<float>(), std::numeric_limits<float>::infinity());
  model.inputs = {value("x", {-1, 4}, 7)};
  EXPECT_THAT(error(model), HasSubstr("a floating-point type"));
}

TEST_F(UpgradeOnnx, PadTakesInputs) {
  const Graph graph = upgraded(
      10, "Pad",
      {ints("pads", {0, 1, 0, 0, 0, 2, 0, 0}), real("value", 1.5F), text("mode", "constant")});
  EXPECT_EQ(integers_of(graph, 1), Integers({0, 1, 0, 0, 0, 2, 0, 0}));
  EXPECT_EQ(scalar_of(graph, 2).item<float>(), 1.5F);
  EXPECT_EQ(graph.nodes[0].text("mode"), "constant");
}

TEST_F(UpgradeOnnx, SplitTakesInputsOrANumber) {
  EXPECT_EQ(integers_of(upgraded(12, "Split", {ints("split", {1, 3})}, {}, {"z"}), 1),
            Integers({1, 3}));
  for (const int64_t opset : {12, 17})
    EXPECT_EQ(upgraded(opset, "Split", {}, {}, {"z"}).nodes[0].integer("num_outputs"), 2);
  EXPECT_FALSE(upgraded(13, "Split", {}, {"w"}, {"z"}).nodes[0].has("num_outputs"));
}

TEST_F(UpgradeOnnx, TopKAndDropoutAndDftTakeInputs) {
  EXPECT_EQ(integers_of(upgraded(9, "TopK", {integer("k", 2)}, {}, {"i"}), 1), Integers({2}));
  EXPECT_EQ(scalar_of(upgraded(11, "Dropout", {real("ratio", 0.25F)}), 1).item<float>(), 0.25F);
  const Graph dft = upgraded(17, "DFT", {integer("axis", 2)});
  EXPECT_EQ(dft.nodes[0].inputs[1], "");
  EXPECT_EQ(scalar_of(dft, 2).item<int64_t>(), 2);
  EXPECT_EQ(scalar_of(upgraded(17, "DFT", {}), 2).item<int64_t>(), 1);
}

TEST_F(UpgradeOnnx, UpsampleBecomesResize) {
  for (const auto& [op, opset] : {std::pair("Upsample", 9), std::pair("Resize", 10)}) {
    const Graph graph = upgraded(opset, op, {text("mode", "nearest")}, {"w"});
    const Node& node = graph.nodes[0];
    EXPECT_EQ(node.op, "Resize");
    EXPECT_THAT(node.inputs, ElementsAre("x", "", "w"));
    EXPECT_EQ(node.text("coordinate_transformation_mode"), "asymmetric");
    EXPECT_EQ(node.text("nearest_mode"), "floor");
    EXPECT_EQ(node.text("mode"), "nearest");
  }
  EXPECT_THAT(error(model(9, "Upsample", {text("mode", "odd")}, {"w"})), HasSubstr("\"odd\""));
  EXPECT_THAT(error(model(9, "Upsample", {})), HasSubstr("X and scales"));
}

TEST_F(UpgradeOnnx, Resize10IsRefusedWhereItsRoundingIsOpen) {
  Model shrink = model(10, "Resize", {}, {"w"});
  shrink.initializers = {floats("w", {4}, {1, 1, 0.5F, 0.5F})};
  EXPECT_EQ(read(shrink).nodes[0].text("nearest_mode"), "floor");
  shrink.initializers = {floats("w", {4}, {1, 1, 0.7F, 0.5F})};
  EXPECT_THAT(error(shrink), HasSubstr("leaves the rounding open"));
}

TEST_F(UpgradeOnnx, ResizesEmptyInputsAreAbsent) {
  Model sizes = model(11, "Resize", {}, {"roi", "scales", "sizes"});
  sizes.initializers = {floats("roi", {0}, {}), floats("scales", {0}, {}),
                        floats("sizes", {4}, {1, 4, 9, 9})};
  EXPECT_THAT(read(sizes).nodes[0].inputs, ElementsAre("x", "", "", "sizes"));
  EXPECT_THAT(
      error(model(11, "Resize", {text("coordinate_transformation_mode", "tf_half_pixel_for_nn")})),
      HasSubstr("tf_half_pixel_for_nn"));
}

TEST_F(UpgradeOnnx, SoftmaxOverTheLastAxisStays) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const Graph last = upgraded(12, op, {integer("axis", 3)});
    EXPECT_THAT(operators(last), ElementsAre(op));
    EXPECT_EQ(last.nodes[0].integer("axis"), 3);
    EXPECT_EQ(upgraded(11, op, {integer("axis", -1)}).nodes[0].integer("axis"), -1);
    EXPECT_FALSE(upgraded(13, op, {}).nodes[0].has("axis"));
  }
}

TEST_F(UpgradeOnnx, SoftmaxOverSeveralAxesIsFlattened) {
  const Graph graph = upgraded(9, "Softmax", {});  // axis 1 of 4
  EXPECT_THAT(operators(graph), ElementsAre("Shape", "Flatten", "Softmax", "Reshape"));
  EXPECT_EQ(graph.nodes[1].integer("axis"), 1);
  EXPECT_EQ(graph.nodes[2].integer("axis"), -1);
  EXPECT_EQ(graph.nodes[2].inputs, graph.nodes[1].outputs);
  EXPECT_THAT(graph.nodes[3].inputs,
              ElementsAre(graph.nodes[2].outputs[0], graph.nodes[0].outputs[0]));
  EXPECT_THAT(graph.nodes[3].outputs, ElementsAre("y"));
}

// The rank of the Softmax's input follows from the operators before it, or from value_info.
TEST_F(UpgradeOnnx, SoftmaxFindsItsRank) {
  Model model = UpgradeOnnx::model(9, "Softmax", {});
  model.inputs = {value("x", {-1, 2, 3})};
  model.initializers = {tensor("shape", {2}, 7, [](Writer& w) {
    w.add_int64(kTensorInt64Data, -1);
    w.add_int64(kTensorInt64Data, 6);
  })};
  model.nodes = {node("Reshape", {"x", "shape"}, {"a"}), node("Relu", {"a"}, {"b"}),
                 node("Softmax", {"b"}, {"y"})};
  EXPECT_THAT(operators(read(model)), ElementsAre("Reshape", "Relu", "Softmax"));
  model.nodes = {node("Unknown", {"x", "shape"}, {"b"}), node("Softmax", {"b"}, {"y"})};
  EXPECT_EQ(read(model).nodes.size(), 5u);
  model.graph_extra = [](Writer& w) { w.add_message(kGraphValueInfo, value("b", {-1, 6})); };
  EXPECT_THAT(operators(read(model)), ElementsAre("Unknown", "Softmax"));
}

// Opset 6 aligned the second input's axes with the first's from `axis` on.
TEST_F(UpgradeOnnx, BroadcastingFollowsTheLastAxes) {
  for (const char* op :
       {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"}) {
    SCOPED_TRACE(op);
    Model model = UpgradeOnnx::model(6, op, {integer("broadcast", 1), integer("axis", 1)}, {"w"});
    model.initializers = {floats("w", {4}, {1, 2, 3, 4})};
    const Graph graph = read(model);
    EXPECT_EQ(shape_of(graph, 1), Integers({4, 1, 1}));
    EXPECT_TRUE(graph.nodes[0].attributes.empty());
  }
  Model last = model(6, "Add", {integer("broadcast", 1)}, {"w"});
  last.initializers = {floats("w", {6}, {1, 2, 3, 4, 5, 6})};
  EXPECT_EQ(shape_of(read(last), 1), Integers({6}));
}

TEST_F(UpgradeOnnx, SharedOrComputedInputsAreUnsqueezed) {
  Model model = UpgradeOnnx::model(6, "Add", {});
  const std::vector<std::string> at_channels = {integer("broadcast", 1), integer("axis", 1)};
  model.initializers = {floats("w", {4}, {1, 2, 3, 4})};
  model.nodes = {node("Add", {"x", "w"}, {"a"}, at_channels, "first"),
                 node("Mul", {"a", "w"}, {"y"}, at_channels, "second")};
  const Graph graph = read(model);
  EXPECT_THAT(operators(graph), ElementsAre("Unsqueeze", "Add", "Unsqueeze", "Mul"));
  EXPECT_THAT(graph.nodes[0].inputs[0], "w");
  EXPECT_TRUE(graph.parameters.at(graph.nodes[0].inputs[1]).equal(at::tensor({1, 2}, at::kLong)));
  EXPECT_EQ(graph.nodes[1].inputs[1], graph.nodes[0].outputs[0]);
}

TEST_F(UpgradeOnnx, BroadcastingIsRefusedWhereRanksAreUnknown) {
  Model model = UpgradeOnnx::model(6, "Add", {});
  model.initializers = {floats("w", {4}, {1, 2, 3, 4})};
  model.nodes = {
      node("Unknown", {"x"}, {"a"}),
      node("Add", {"a", "w"}, {"y"}, {integer("broadcast", 1), integer("axis", 1)}, "op")};
  EXPECT_THAT(error(model), HasSubstr("no rank of input 0"));
  EXPECT_THAT(error(model), HasSubstr("\"op\" (Add)"));
  model.nodes = {
      node("Add", {"x", "w"}, {"y"}, {integer("broadcast", 1), integer("axis", 4)}, "op")};
  EXPECT_THAT(error(model), HasSubstr("an axis from 0 to 3"));
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  model.inputs = {value("x", {})};
  model.initializers = {floats("w", {2, 2}, {1, 2, 3, 4})};
  model.nodes = {
      node("Add", {"x", "w"}, {"y"}, {integer("broadcast", 1), integer("axis", kFar)}, "op")};
  EXPECT_THAT(error(model), HasSubstr("input 1 of no larger rank than input 0"));
}

TEST_F(UpgradeOnnx, PReluHadASlopeAChannel) {
  Model model = UpgradeOnnx::model(6, "PRelu", {}, {"w"});
  model.initializers = {floats("w", {4}, {1, 2, 3, 4})};
  EXPECT_EQ(shape_of(read(model), 1), Integers({4, 1, 1}));
  model.opset = 7;
  EXPECT_EQ(shape_of(read(model), 1), Integers({4}));
  model = UpgradeOnnx::model(6, "PRelu", {}, {"w"});
  model.initializers = {floats("w", {1}, {0.5F})};
  EXPECT_EQ(shape_of(read(model), 1), Integers({1}));
}

TEST_F(UpgradeOnnx, Opset6TrainsUnlessItIsATest) {
  for (const char* op : {"BatchNormalization", "Dropout"}) {
    EXPECT_THAT(error(model(6, op, {})), HasSubstr("is_test 0"));
    EXPECT_TRUE(upgraded(6, op, {integer("is_test", 1)}).nodes[0].attributes.empty());
    upgraded(7, op, {});
  }
  upgraded(6, "Dropout", {real("ratio", 0)});
}

TEST_F(UpgradeOnnx, DropsAttributesThatSayNothing) {
  EXPECT_TRUE(upgraded(6, "Gemm", {integer("broadcast", 1)}).nodes[0].attributes.empty());
  for (const char* op : {"RNN", "GRU", "LSTM"})
    EXPECT_FALSE(upgraded(6, op, {integer("output_sequence", 1)}).nodes[0].has("output_sequence"));
}

TEST_F(UpgradeOnnx, UpsamplesScalesWereAttributes) {
  const Graph images = upgraded(6, "Upsample", {real("height_scale", 2), real("width_scale", 3)});
  EXPECT_TRUE(
      images.parameters.at(images.nodes[0].inputs[2]).equal(at::tensor({1.F, 1.F, 2.F, 3.F})));
  const std::string scales = attribute("scales", kFloats, [](Writer& w) {
    for (const float scale : {1.F, 1.F, 2.F, 2.F}) w.add_float(kAttributeFloats, scale);
  });
  const Graph axes = upgraded(8, "Upsample", {scales});
  EXPECT_EQ(axes.nodes[0].op, "Resize");
  EXPECT_TRUE(axes.parameters.at(axes.nodes[0].inputs[2]).equal(at::tensor({1.F, 1.F, 2.F, 2.F})));
  EXPECT_FALSE(axes.nodes[0].has("scales"));
  EXPECT_THAT(error(model(6, "Upsample", {})), HasSubstr("height_scale"));
  EXPECT_THAT(error(model(7, "Upsample", {})), HasSubstr("expected  scales"));
}

TEST_F(UpgradeOnnx, RefusesWhatBecameAnotherOperator) {
  EXPECT_THAT(error(model(8, "MeanVarianceNormalization", {})), HasSubstr("experimental"));
  EXPECT_THAT(error(model(8, "Scan", {})), HasSubstr("batch axis"));
}

TEST_F(UpgradeOnnx, BatchNormalizationIsForInference) {
  const Graph graph = upgraded(9, "BatchNormalization", {integer("spatial", 1)});
  EXPECT_FALSE(graph.nodes[0].has("spatial"));
  EXPECT_THAT(error(model(9, "BatchNormalization", {}, {}, {"m"})), HasSubstr("2 outputs"));
  EXPECT_THAT(error(model(9, "BatchNormalization", {integer("spatial", 0)})),
              HasSubstr("spatial = 0"));
}

TEST_F(UpgradeOnnx, GroupNormalizationKeepsAScalePerGroup) {
  const Graph graph =
      upgraded(18, "GroupNormalization", {integer("num_groups", 2), real("epsilon", 0.5F)},
               {"scale", "bias"});
  EXPECT_THAT(operators(graph),
              ElementsAre("Shape", "Reshape", "InstanceNormalization", "Reshape"));
  const at::Tensor& shape = graph.parameters.at(graph.nodes[1].inputs[1]);
  EXPECT_TRUE(shape.equal(at::tensor({0, 2, -1}, at::kLong)));
  EXPECT_THAT(graph.nodes[2].inputs, ElementsAre(graph.nodes[1].outputs[0], "scale", "bias"));
  EXPECT_EQ(graph.nodes[2].real("epsilon"), 0.5);
}

TEST_F(UpgradeOnnx, RenamesModes) {
  EXPECT_EQ(upgraded(16, "GridSample", {}, {"w"}).nodes[0].text("mode"), "linear");
  EXPECT_EQ(upgraded(16, "GridSample", {text("mode", "bicubic")}, {"w"}).nodes[0].text("mode"),
            "cubic");
  EXPECT_EQ(upgraded(10, "RoiAlign", {}, {"w"}).nodes[0].text("coordinate_transformation_mode"),
            "output_half_pixel");
  EXPECT_EQ(upgraded(9, "Scatter", {}, {"w"}).nodes[0].op, "ScatterElements");
}

TEST_F(UpgradeOnnx, DropoutsMaskWasNoBool) {
  EXPECT_EQ(upgraded(9, "Dropout", {}, {}, {"mask"}).nodes[0].outputs.size(), 2u);
  Model model = UpgradeOnnx::model(9, "Dropout", {}, {}, {"mask"});
  model.outputs.push_back(value("mask", {-1, 4}));
  EXPECT_THAT(error(model), HasSubstr("a Dropout whose mask nobody reads"));
}

TEST_F(UpgradeOnnx, LeavesOtherDomainsAlone) {
  Model model = UpgradeOnnx::model(9, "Clip", {});
  model.nodes = {node("Clip", {"x"}, {"y"}, {real("min", 0)}, "op", "other")};
  EXPECT_TRUE(read(model).nodes[0].has("min"));
}

// A new parameter does not take a name that the model has.
TEST_F(UpgradeOnnx, NewNamesAreFresh) {
  Model model = UpgradeOnnx::model(9, "Squeeze", {ints("axes", {1})});
  model.initializers = {floats("op_axes", {1}, {1})};
  EXPECT_EQ(read(model).nodes[0].inputs[1], "op_axes_1");
}

}  // namespace
}  // namespace crrm::onnx
