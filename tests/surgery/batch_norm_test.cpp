#include "crrm/surgery/batch_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

Tensors run(const Graph& graph, const at::Tensor& x) {
  return Executor(to_type(graph, at::kDouble)).run({x.to(at::kDouble)});
}

TEST(FoldBatchNorm, KeepsTheFunction) {
  Graph graph = clone(test::small_network());
  const Tensors before = run(graph, test::small_input());
  EXPECT_EQ(fold_batch_norm(graph), (std::vector<std::string>{"conv1", "conv2"}));
  for (const Node& node : graph.nodes) EXPECT_NE(node.op, "BatchNormalization");
  // The folded weights are stored in float32.
  EXPECT_LT(difference(before, run(graph, test::small_input())).relative, 1e-6);
}

TEST(UnfoldBatchNorm, KeepsTheFunctionAndFoldsBack) {
  Graph graph = clone(test::small_network());
  fold_batch_norm(graph);
  const Graph folded = clone(graph);
  const Tensors before = run(folded, test::small_input());
  const std::vector<std::string> lost = folded_convolutions(graph);
  EXPECT_EQ(lost, (std::vector<std::string>{"conv1", "conv2"})) << "conv3 never had one: no bias";
  unfold_batch_norm(graph, lost, test::small_input(64, 3));
  EXPECT_LT(difference(before, run(graph, test::small_input())).relative, 1e-6);
  EXPECT_EQ(fold_batch_norm(graph), lost);
  EXPECT_LT(difference(before, run(graph, test::small_input())).relative, 1e-6);
  EXPECT_EQ(graph.nodes.size(), folded.nodes.size());
}

// What is put back sees its input with mean 0 and variance 1 before scale and shift.
TEST(UnfoldBatchNorm, TakesItsStatisticsFromTheData) {
  Graph graph = clone(test::small_network());
  fold_batch_norm(graph);
  const at::Tensor data = test::small_input(64, 3);
  unfold_batch_norm(graph, {"conv1"}, data);
  Graph probe = graph;
  const auto norm = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [](const Node& node) { return node.op == "BatchNormalization"; });
  probe.outputs = {{norm->inputs[0], at::kFloat, {}, {}}};
  const at::Tensor y =
      Executor(probe).run({data})[0].transpose(0, 1).flatten(1).to(at::kDouble);  // [C, N s]
  const auto value = [&](size_t i) { return graph.parameters.at(norm->inputs[i]).to(at::kDouble); };
  EXPECT_TRUE(at::allclose(value(3), y.mean(1), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(value(4), y.var(1, false), 1e-5, 1e-6));
}

TEST(FoldedConvolutions, AreNoneWhereANormalisationIsLeft) {
  EXPECT_TRUE(folded_convolutions(test::small_network()).empty());
}

// One batch: the statistics are those of the layer's input on that batch.
// A head that regresses, or gives logits through a Transpose, had none.
TEST(FoldedConvolutions, AreNoLastLayers) {
  Graph graph = clone(test::small_network());
  fold_batch_norm(graph);
  const auto conv2 = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [](const Node& node) { return node.name == "conv2"; });
  const std::string raw = conv2->outputs[0];
  graph.nodes.push_back({.op = "Transpose",
                         .name = "head",
                         .domain = "",
                         .inputs = {raw},
                         .outputs = {"head_out"},
                         .attributes = {{"perm", Shape{0, 2, 3, 1}}}});
  graph.outputs = {{"head_out", at::kFloat, {}, {}}};
  EXPECT_EQ(folded_convolutions(graph), (std::vector<std::string>{"conv1"}));
}

TEST(Recalibrate, MatchesTheBatchStatistics) {
  const Graph graph = clone(test::small_network());
  const at::Tensor data = test::small_input(32, 5);
  recalibrate(graph, 1, [&](int64_t) { return Tensors{data}; });
  const at::Tensor conv = at::conv2d(data, graph.parameters.at("conv1.weight"), {}, 1, 1);
  const at::Tensor y = conv.transpose(0, 1).flatten(1).to(at::kDouble);  // [C, N s]
  EXPECT_TRUE(at::allclose(graph.parameters.at("bn1.mean").to(at::kDouble), y.mean(1), 1e-4, 1e-5));
  EXPECT_TRUE(
      at::allclose(graph.parameters.at("bn1.var").to(at::kDouble), y.var(1, false), 1e-4, 1e-5));
}

}  // namespace
}  // namespace crrm
