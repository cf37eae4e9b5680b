#include <gmock/gmock.h>

#include "tests/io/model_builder.h"

namespace crrm::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::UnorderedElementsAre;

class Branches : public OnnxFile {
 protected:
  /// What is written reads back as it was, names included.
  void expect_round_trip(const Graph& graph) {
    const std::string bytes = onnx_bytes(graph);
    const Graph again = read(bytes);
    EXPECT_EQ(onnx_bytes(again), bytes);
    for (size_t i = 0; i < graph.nodes.size(); ++i) expect_same(graph.nodes[i], again.nodes[i]);
  }

  std::string error(const std::string& if_node) const {
    return OnnxFile::error(holding({if_node}));
  }

  static Model holding(const std::vector<std::string>& nodes) {
    Model model = add_model();
    model.inputs.push_back(value("c", {}, 9));
    model.nodes = nodes;
    return model;
  }

 private:
  static void expect_same(const Node& a, const Node& b) {
    SCOPED_TRACE(describe(a));
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.outputs, b.outputs);
    EXPECT_EQ(describe(a), describe(b));
    const std::vector<const Graph*> in_a = a.graphs(), in_b = b.graphs();
    ASSERT_EQ(in_a.size(), in_b.size());
    for (size_t i = 0; i < in_a.size(); ++i) {
      EXPECT_EQ(names(in_a[i]->inputs), names(in_b[i]->inputs));
      EXPECT_EQ(names(in_a[i]->outputs), names(in_b[i]->outputs));
      ASSERT_EQ(in_a[i]->nodes.size(), in_b[i]->nodes.size());
      for (size_t n = 0; n < in_a[i]->nodes.size(); ++n)
        expect_same(in_a[i]->nodes[n], in_b[i]->nodes[n]);
    }
  }

 public:
  static std::vector<std::string> names(const std::vector<Port>& ports) {
    std::vector<std::string> result;
    for (const Port& port : ports) result.push_back(port.name);
    return result;
  }
};

// Both branches have a constant k. The first output is computed, the second is a constant.
TEST_F(Branches, TakeWhatTheyUseAsInputs) {
  Model model = holding({node(
      "If", {"c"}, {"y"},
      {branch("then_branch", {node("Mul", {"x", "k"}, {"t"})}, {"t"}, {floats("k", {2}, {3, 4})}),
       branch("else_branch", {node("Add", {"w", "k"}, {"e"})}, {"e"},
              {floats("k", {2}, {5, 6})})})});
  const Graph graph = read(model);
  const Node& node = graph.nodes[0];
  EXPECT_THAT(node.inputs, ElementsAre("c", "w", "k_1", "x", "k_2"));  // else comes before then
  for (const Graph* inner : node.graphs()) {
    EXPECT_THAT(names(inner->inputs), ElementsAre("w", "k_1", "x", "k_2"));
    EXPECT_TRUE(inner->parameters.empty());
  }
  EXPECT_THAT(graph.parameters, UnorderedElementsAre(Key("k_1"), Key("k_2"), Key("w")));
  EXPECT_TRUE(graph.parameters.at("k_2").equal(at::tensor({3.0F, 4.0F})));
  expect_round_trip(graph);
}

TEST_F(Branches, WriteEachOutputByANodeOfItsOwn) {
  const Graph graph =
      read(holding({node("If", {"c"}, {"y", "z"},
                         {branch("then_branch", {}, {"x", "k"}, {floats("k", {2}, {3, 4})}),
                          branch("else_branch", {node("Neg", {"x"}, {"e"})}, {"e", "e"})})}));
  const Graph& then = graph.nodes[0].graph("then_branch");
  EXPECT_THAT(names(then.outputs), ElementsAre("x_output", "k_output"));
  EXPECT_EQ(then.nodes.size(), 2u);
  const Graph& other = graph.nodes[0].graph("else_branch");
  EXPECT_THAT(names(other.outputs), ElementsAre("e", "e_output"));
  EXPECT_EQ(other.nodes[1].op, "Identity");
  expect_round_trip(graph);
}

// Seconds are few: each output's name is found in few tries.
TEST_F(Branches, MayNameOneOutputAnyNumberOfTimes) {
  constexpr size_t kMany = 100'000;
  const std::vector<std::string> same(kMany, "x");
  std::vector<std::string> outputs;
  for (size_t i = 0; i < kMany; ++i) outputs.push_back(fmt::format("y{}", i));
  Model model = holding({node("If", {"c"}, outputs,
                              {branch("then_branch", {}, same), branch("else_branch", {}, same)})});
  model.outputs = {value("y0", {-1, 2})};
  const Graph graph = read(model);
  const std::vector<Port>& inner = graph.nodes[0].graph("then_branch").outputs;
  EXPECT_EQ(inner[1].name, "x_output_1");
  EXPECT_EQ(inner[kMany - 1].name, fmt::format("x_output_{}", kMany - 1));
}

TEST_F(Branches, NestAndSeeEveryOuterValue) {
  const std::string inner = node(
      "If", {"c"}, {"i"},
      {branch("then_branch", {node("Mul", {"h", "w"}, {"t"})}, {"t"}),
       branch("else_branch", {node("Mul", {"h", "k"}, {"e"})}, {"e"}, {floats("k", {2}, {3, 4})})});
  const Graph graph =
      read(holding({node("If", {"c"}, {"y"},
                         {branch("then_branch", {node("Neg", {"x"}, {"h"}), inner}, {"i"}),
                          branch("else_branch", {node("Neg", {"x"}, {"n"})}, {"n"})})}));
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("c", "x", "c", "k", "w"));
  EXPECT_THAT(graph.nodes[0].graph("then_branch").nodes[1].inputs, ElementsAre("c", "h", "k", "w"));
  expect_round_trip(graph);
}

// A branch may not hide an outer name; the file is read as if its own value had another name.
TEST_F(Branches, ThatHideAnOuterNameGetAnother) {
  const Graph graph =
      read(holding({node("Neg", {"x"}, {"h"}),
                    node("If", {"c"}, {"y"},
                         {branch("then_branch", {node("Abs", {"x"}, {"h"})}, {"h"}),
                          branch("else_branch", {node("Exp", {"h"}, {"e"})}, {"e"})})}));
  EXPECT_THAT(names(graph.nodes[1].graph("then_branch").outputs), ElementsAre("h_1"));
  EXPECT_THAT(graph.nodes[1].graph("else_branch").nodes[0].inputs, ElementsAre("h"));
  expect_round_trip(graph);
}

// Opset 11: axes are attributes; and an empty constant of the outer graph stands for no roi.
TEST_F(Branches, AreUpgradedWithTheirNetwork) {
  Model model = holding(
      {node("If", {"c"}, {"y"},
            {branch("then_branch", {node("Unsqueeze", {"x"}, {"t"}, {ints("axes", {0})})}, {"t"}),
             branch("else_branch", {node("Resize", {"x", "none", "scales"}, {"e"})}, {"e"})})});
  model.initializers = {floats("none", {0}, {}), floats("scales", {2}, {1, 2})};
  model.opset = 11;
  const Graph graph = read(model);
  EXPECT_THAT(graph.nodes[0].graph("else_branch").nodes[0].inputs, ElementsAre("x", "", "scales"));
  const Node& unsqueeze = graph.nodes[0].graph("then_branch").nodes[0];
  EXPECT_FALSE(unsqueeze.has("axes"));
  EXPECT_TRUE(graph.parameters.at(unsqueeze.inputs[1]).equal(at::tensor({0}, at::kLong)));
  expect_round_trip(graph);
}

TEST_F(Branches, MustFitTheirIf) {
  const std::string then = branch("then_branch", {node("Neg", {"x"}, {"t"})}, {"t"});
  const std::string other = branch("else_branch", {node("Exp", {"x"}, {"e"})}, {"e"});
  EXPECT_THAT(error(node("If", {"c"}, {"y"}, {then})), HasSubstr("else_branch"));
  EXPECT_THAT(error(node("If", {"c", "x"}, {"y"}, {then, other})), HasSubstr("one input"));
  EXPECT_THAT(error(node("If", {"c"}, {"y", "z"}, {then, other})),
              HasSubstr("a branch with 2 outputs"));
  EXPECT_THAT(error(node("If", {"c"}, {"y"},
                         {then, branch("else_branch", {node("Exp", {"q"}, {"e"})}, {"e"})})),
              HasSubstr("\"q\", which nothing before it writes"));
  EXPECT_THAT(
      error(node("If", {"c"}, {"y"},
                 {then, branch("else_branch",
                               {node("Exp", {"l"}, {"e"}), node("Neg", {"x"}, {"l"})}, {"e"})})),
      HasSubstr("\"l\", which nothing before it writes"));
}

TEST_F(Branches, NestOnlySoDeep) {
  const std::string other = branch("else_branch", {node("Exp", {"x"}, {"e"})}, {"e"});
  std::string nested = node("Neg", {"x"}, {"y"});
  for (int depth = 0; depth < 17; ++depth)
    nested = node("If", {"c"}, {"y"}, {branch("then_branch", {nested}, {"y"}), other});
  EXPECT_THAT(error(nested), HasSubstr("16 deep"));
}

}  // namespace
}  // namespace crrm::onnx
