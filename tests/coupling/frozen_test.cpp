#include <gmock/gmock.h>

#include "crrm/coupling/coupling.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

// y = W * x + p, over places: W [6, 4, 1], p [6, 8]. Names and reasons say nothing about the kind:
// the output is called "positions", and is a width.
TEST(Frozen, PlacesAreNoWidths) {
  test::Builder b(1);
  b.graph.inputs = {{.name = "x", .shape = {-1, 4, 8}, .symbols = {"batch", "", ""}}};
  b.graph.parameters = {{"W", b.random({6, 4, 1})}, {"p", b.random({6, 8})}};
  b.add("Conv", "conv", {"x", "W"});
  b.add("Add", "add", {"conv.out", "p"});
  b.graph.nodes.back().outputs = {"positions"};
  b.graph.outputs = {{"positions", at::kFloat, {-1, 6, 8}, {"batch", "", ""}}};
  const Coupling coupling(b.graph, infer_shapes(b.graph, input_shapes(b.graph, kCouplingBatch)));
  std::vector<std::string> widths, places;
  for (const FrozenAxis& axis : coupling.frozen())
    (is_width(axis) ? widths : places)
        .push_back(fmt::format("{}[{}]", axis.member.parameter, axis.member.axis));
  EXPECT_THAT(widths, testing::UnorderedElementsAre("W[0]", "W[1]", "p[0]"));
  EXPECT_THAT(places, testing::UnorderedElementsAre("W[2]", "p[1]"));
}

/// The frozen axis of that parameter.
FrozenAxis frozen_axis(const Graph& graph, const std::string& parameter, int64_t axis) {
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
  for (const FrozenAxis& candidate : coupling.frozen())
    if (candidate.member.parameter == parameter && candidate.member.axis == axis) return candidate;
  ADD_FAILURE() << parameter << "[" << axis << "] is free";
  return {};
}

/// x [N, 4, 8] -> conv, W [6, 4, 1] -> y, and what a test puts between.
class OneConvolution {
 public:
  OneConvolution() {
    b_.graph.inputs = {{.name = "x", .shape = {-1, 4, 8}, .symbols = {"batch", "", ""}}};
  }
  OneConvolution& add(const std::string& op, std::vector<std::string> inputs) {
    b_.add(op, op, std::move(inputs));
    last_ = op + ".out";
    return *this;
  }
  OneConvolution& parameter(const std::string& name, const Shape& shape) {
    b_.graph.parameters[name] = b_.random(shape);
    return *this;
  }
  Graph done() {
    b_.graph.outputs = {{last_, at::kFloat, {-1, -1, -1}, {"batch", "", ""}}};
    return b_.graph;
  }

 private:
  test::Builder b_{1};
  std::string last_;
};

TEST(Frozen, NamesTheNodeOfAStretchedAxis) {
  const Graph graph = OneConvolution()
                          .parameter("W", {6, 4, 1})
                          .parameter("p", {1, 8})
                          .add("Conv", {"x", "W"})
                          .add("Mul", {"Conv.out", "p"})
                          .done();
  const FrozenAxis axis = frozen_axis(graph, "p", 0);
  EXPECT_EQ(axis.node, "Mul");
  EXPECT_EQ(axis.reason, "one index that is stretched over an axis (node \"Mul\" (Mul))");
}

TEST(Frozen, NamesNoNodeForTheNetworksOwnPorts) {
  const Graph graph = OneConvolution().parameter("W", {6, 4, 1}).add("Conv", {"x", "W"}).done();
  EXPECT_EQ(frozen_axis(graph, "W", 0).reason, "output \"Conv.out\" of the network");
  EXPECT_EQ(frozen_axis(graph, "W", 0).node, "");
  EXPECT_EQ(frozen_axis(graph, "W", 1).reason, "input of the network \"x\"");
  EXPECT_EQ(frozen_axis(graph, "W", 1).node, "");
  EXPECT_EQ(frozen_axis(graph, "W", 2).node, "Conv") << "a place in the kernel";
}

// What follows an unknown operator is frozen for it, not for the node that reads it.
TEST(Frozen, NamesTheUnknownOperatorBehindWhichAWeightIs) {
  const Graph graph = OneConvolution()
                          .parameter("W", {6, 4, 1})
                          .add("Mystery", {"x"})
                          .add("Relu", {"Mystery.out"})
                          .add("Conv", {"Relu.out", "W"})
                          .done();
  const FrozenAxis axis = frozen_axis(graph, "W", 0);
  EXPECT_EQ(axis.node, "Mystery");
  EXPECT_EQ(axis.reason, "operator Mystery is unknown (node \"Mystery\" (Mystery))");
}

// Six features are two heads of three. Heads can go, so what a head has stays whole: the Reshape
// keeps it so.
TEST(Frozen, NamesTheReshapeThatKeepsAFactorWhole) {
  test::Builder b(1);
  b.graph.inputs = {{.name = "x", .shape = {-1, 4}, .symbols = {"batch", ""}}};
  b.graph.parameters = {{"W", b.random({4, 6})},
                        {"scale", b.random({3})},
                        {"split", at::tensor({0, 2, 3}, at::kLong)},
                        {"flat", at::tensor({0, 6}, at::kLong)},
                        {"V", b.random({6, 5})}};
  b.add("MatMul", "first", {"x", "W"});
  b.add("Reshape", "heads", {"first.out", "split"});
  b.add("Mul", "scaled", {"heads.out", "scale"});
  b.add("Reshape", "joined", {"scaled.out", "flat"});
  b.add("MatMul", "last", {"joined.out", "V"});
  b.graph.outputs = {{"last.out", at::kFloat, {-1, 5}, {"batch", ""}}};
  const FrozenAxis axis = frozen_axis(b.graph, "scale", 0);
  EXPECT_EQ(axis.node, "heads");
  EXPECT_THAT(axis.reason, testing::HasSubstr("stays whole inside a reshape"));
  EXPECT_THAT(axis.reason, testing::HasSubstr("(node \"heads\" (Reshape))"));
}

// h h^T flattened: index 6 i + j would leave with unit i and with unit j, and a label is one
// unit's.
TEST(Frozen, NamesAnAxisThatAReshapeMultipliesByItself) {
  test::Builder b(1);
  b.graph.inputs = {{.name = "x", .shape = {-1, 4, 5}, .symbols = {"batch", "", ""}}};
  b.graph.parameters = {{"W", b.random({6, 4, 1})}, {"V", b.random({36, 3})}};
  b.add("Conv", "first", {"x", "W"});
  b.add("Transpose", "turned", {"first.out"});
  b.graph.nodes.back().attributes["perm"] = Shape{0, 2, 1};
  b.add("MatMul", "product", {"first.out", "turned.out"});
  b.add("Flatten", "flat", {"product.out"});
  b.add("MatMul", "last", {"flat.out", "V"});
  b.graph.outputs = {{"last.out", at::kFloat, {-1, 3}, {"batch", ""}}};
  const FrozenAxis axis = frozen_axis(b.graph, "W", 0);
  EXPECT_EQ(axis.stays, 6);
  EXPECT_EQ(axis.node, "flat");
  EXPECT_THAT(axis.reason, testing::HasSubstr("twice in one reshape"));
}

// What the branches of an If learn stays whole with it, and is named as all else.
TEST(Frozen, NamesWeightsInBranchesChosenAtRunTime) {
  test::Builder b(1);
  b.graph.inputs = {{.name = "x", .shape = {-1, 4}, .symbols = {"batch", ""}},
                    {.name = "c", .type = at::kBool, .shape = {}, .symbols = {}}};
  b.graph.parameters = {{"W", b.random({4, 6})}, {"A", b.random({6, 3})}, {"B", b.random({6, 3})}};
  b.add("MatMul", "first", {"x", "W"});
  const auto branch = [](const std::string& weight) {
    auto graph = std::make_shared<Graph>();
    for (const char* name : {"h", "a", "b"})
      graph->inputs.push_back({.name = name, .shape = {}, .symbols = {}});
    graph->nodes.push_back({.op = "MatMul",
                            .name = "inner",
                            .domain = "",
                            .inputs = {"h", weight},
                            .outputs = {"y"},
                            .attributes = {}});
    graph->outputs.push_back({.name = "y", .shape = {}, .symbols = {}});
    return std::shared_ptr<const Graph>(graph);
  };
  b.add("If", "choice", {"c", "first.out", "A", "B"});
  b.graph.nodes.back().attributes = {{"then_branch", branch("a")}, {"else_branch", branch("b")}};
  b.graph.outputs = {{"choice.out", at::kFloat, {-1, 3}, {"batch", ""}}};
  for (const char* parameter : {"A", "B"}) {
    const FrozenAxis axis = frozen_axis(b.graph, parameter, 1);
    EXPECT_EQ(axis.stays, 3);
    EXPECT_EQ(axis.node, "choice");
    EXPECT_THAT(axis.reason, testing::HasSubstr("(node \"choice\" (If))"));
  }
}

}  // namespace
}  // namespace crrm
