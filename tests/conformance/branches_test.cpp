// An If whose condition is known with the data runs as in ONNX Runtime and freezes what it touches;
// one whose condition is a constant leaves its branch.
#include <gmock/gmock.h>

#include "crrm/coupling/coupling.h"
#include "crrm/graph/executor.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/surgery/cut.h"
#include "tests/io/model_builder.h"

namespace crrm::onnx {
namespace {

using testing::HasSubstr;

std::string integers(const std::string& name, const std::vector<int64_t>& dims, int64_t value) {
  return tensor(name, dims, 7, [&](Writer& w) {
    w.add_bytes(kTensorRawData, std::string(reinterpret_cast<const char*>(&value), sizeof value));
  });
}

/// y = x + w where the condition `c`, which `before` writes, holds; else y = (2 x) m, or -x where
/// a second condition, written in the branch by `inside`, holds.
Model model(const std::vector<std::string>& before, const std::vector<std::string>& inside) {
  const std::string nested = node("If", {"d"}, {"n"},
                                  {branch("then_branch", {node("Neg", {"x"}, {"t"})}, {"t"}),
                                   branch("else_branch", {node("MatMul", {"h", "m"}, {"e"})}, {"e"},
                                          {floats("m", {2, 2}, {1, 2, 3, 4})})});
  std::vector<std::string> other = inside;
  other.push_back(node("Add", {"x", "x"}, {"h"}));
  other.push_back(nested);
  Model result = add_model();
  result.nodes = before;
  result.nodes.push_back(node("If", {"c"}, {"v"},
                              {branch("then_branch", {node("Add", {"x", "w"}, {"t"})}, {"t"}),
                               branch("else_branch", other, {"n"})},
                              "choice"));
  result.nodes.push_back(node("Abs", {"v"}, {"y"}));
  result.initializers.push_back(floats("zero", {}, {0}));
  result.initializers.push_back(integers("axis_1", {}, 1));
  result.initializers.push_back(integers("axis_0", {}, 0));
  result.initializers.push_back(integers("one", {}, 1));
  result.initializers.push_back(integers("two", {}, 2));
  return result;
}

/// `c` holds where the sum of x is positive.
std::vector<std::string> positive_sum(const std::string& c) {
  return {node("ReduceSum", {"x"}, {c + "_s"}, {integer("keepdims", 0)}),
          node("Greater", {c + "_s", "zero"}, {c})};
}
/// `c` holds where the extent of an axis of x is `value`.
std::vector<std::string> extent_is(const std::string& c, const std::string& axis,
                                   const std::string& value) {
  return {node("Shape", {"x"}, {c + "_s"}), node("Gather", {c + "_s", axis}, {c + "_e"}),
          node("Equal", {c + "_e", value}, {c})};
}

class If : public OnnxFile {
 protected:
  /// Runs the graph, the file that it gives, and that in ONNX Runtime.
  void expect_result(const Graph& graph, const at::Tensor& x, const at::Tensor& y) const {
    EXPECT_EQ(difference({y}, Executor(graph).run({x})).absolute, 0);
    const std::string bytes = onnx_bytes(graph);
    EXPECT_EQ(difference({y}, Executor(read(bytes)).run({x})).absolute, 0);
    if (!OnnxRuntime::available()) return;
    EXPECT_EQ(difference({y}, OnnxRuntime::from_bytes("if", bytes, 1).run({x})).absolute, 0);
  }
  static bool holds_if(const Graph& graph) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                       [](const Node& node) { return node.op == "If"; });
  }

  const at::Tensor up_ = at::tensor({1.0F, 2.0F}).view({1, 2});
  const at::Tensor down_ = at::tensor({1.0F, -2.0F}).view({1, 2});
};

// |[1 2] + [1 2]| = [2 4];  |[2 -4] [1 2; 3 4]| = [10 12].
TEST_F(If, OfDataRunsTheBranchThatItPicks) {
  Graph graph = read(model(positive_sum("c"), positive_sum("d")));
  fold_shape_arithmetic(graph);
  EXPECT_TRUE(holds_if(graph));
  expect_result(graph, up_, at::tensor({2.0F, 4.0F}).view({1, 2}));
  expect_result(graph, down_, at::tensor({10.0F, 12.0F}).view({1, 2}));
}

TEST_F(If, OfDataHidesShapesAndNamesItself) {
  const Graph graph = read(model(positive_sum("c"), positive_sum("d")));
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, 2));
  EXPECT_THAT(shapes.unknown.at("y"), HasSubstr("node \"choice\" (If)"));
  const Labels labels = label_network(graph, shapes);
  for (const char* parameter : {"w", "m"})
    EXPECT_THAT(labels.reason(labels.axis(parameter, 0)[0]), HasSubstr("node \"choice\" (If)"));
}

TEST_F(If, OfAConstantLeavesItsBranch) {
  Graph graph = read(model(extent_is("c", "axis_1", "two"), positive_sum("d")));
  fold_shape_arithmetic(graph);
  EXPECT_FALSE(holds_if(graph));
  EXPECT_EQ(graph.nodes.size(), 2u);
  expect_result(graph, down_, at::tensor({2.0F, 0.0F}).view({1, 2}));
}

TEST_F(If, InsideOfAnotherIsDecidedNext) {
  Graph graph = read(model(extent_is("c", "axis_1", "one"), extent_is("d", "axis_1", "one")));
  fold_shape_arithmetic(graph);
  EXPECT_FALSE(holds_if(graph));
  expect_result(graph, down_, at::tensor({10.0F, 12.0F}).view({1, 2}));
}

TEST_F(If, OfDataStaysInTheBranchOfAConstant) {
  Graph graph = read(model(extent_is("c", "axis_1", "one"), positive_sum("d")));
  fold_shape_arithmetic(graph);
  EXPECT_TRUE(holds_if(graph));
  expect_result(graph, up_, at::tensor({1.0F, 2.0F}).view({1, 2}));
  expect_result(graph, down_, at::tensor({10.0F, 12.0F}).view({1, 2}));
}

// The extent is 1 for one batch only: the two batch sizes of folding would not show it.
TEST_F(If, ThatAsksForASingleSampleStays) {
  Graph graph = read(model(extent_is("c", "axis_0", "one"), extent_is("d", "axis_1", "one")));
  fold_shape_arithmetic(graph);
  EXPECT_TRUE(holds_if(graph));
  expect_result(graph, down_, at::tensor({2.0F, 0.0F}).view({1, 2}));
  expect_result(graph, down_.repeat({2, 1}),
                at::tensor({10.0F, 12.0F}).view({1, 2}).repeat({2, 1}));
}

TEST_F(If, WithAnUnknownOperatorInABranchIsNamed) {
  const Graph graph = read(model(positive_sum("c"), {node("Fancy", {"x"}, {"d"}, {}, "mystery")}));
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, 2));
  EXPECT_EQ(shapes.unknown.at("y"), "operator Fancy is unknown (node \"mystery\" (Fancy))");
  try {
    const Executor executor(graph);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("node \"mystery\" (Fancy)"));
  }
}

}  // namespace
}  // namespace crrm::onnx
