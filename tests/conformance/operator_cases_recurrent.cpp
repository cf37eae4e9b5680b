// Cases of the recurrent operators and of Einsum, and what only they have.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/coupling/cost.h"
#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"
#include "crrm/train/gated_network.h"
#include "tests/conformance/operator_case.h"

namespace crrm {
namespace {

using Texts = std::vector<std::string>;

constexpr int64_t kSteps = 4, kBatch = 3, kFeatures = 5, kState = 6;

/// W, R and B, small enough that no gate saturates.
std::vector<at::Tensor> weights(int64_t directions, int64_t gates) {
  const int64_t rows = gates * kState;
  return {weight({directions, rows, kFeatures}) * 0.3, weight({directions, rows, kState}) * 0.3,
          weight({directions, 2 * rows}) * 0.3};
}

/// The attributes with the extent of the state, which ONNX Runtime asks for.
Attributes with_state(Attributes attributes = {}) {
  attributes["hidden_size"] = kState;
  return attributes;
}

std::vector<Case> recurrent_cases() {
  const Shape x{kSteps, kBatch, kFeatures};
  std::vector<Case> list;
  const std::vector<std::tuple<std::string, int64_t, size_t>> kinds = {
      {"RNN", 1, 2}, {"GRU", 3, 2}, {"LSTM", 4, 3}};
  for (const auto& [op, gates, outputs] : kinds) {
    const auto add = [&](std::vector<at::Tensor> constants, Attributes attributes) {
      list.push_back({op, {x}, std::move(constants), with_state(std::move(attributes)), outputs});
    };
    for (const char* direction : {"forward", "reverse", "bidirectional"})
      for (const bool uneven : {false, true}) {
        std::vector<at::Tensor> constants =
            weights(std::string(direction) == "bidirectional" ? 2 : 1, gates);
        if (uneven) constants.push_back(at::tensor({2, 4, 1}, at::kInt));
        add(constants, {{"direction", std::string(direction)}});
      }
    const std::vector<at::Tensor> all = weights(1, gates);
    add({all[0], all[1]}, {});
    std::vector<bool> places{true, false, false, false, false, true};
    Case initial{op, {x, {1, kBatch, kState}}, all, with_state(), outputs};
    initial.constants.emplace_back();
    if (op == "LSTM") {
      initial.inputs.push_back({1, kBatch, kState});
      initial.constants.push_back(weight({1, 3 * kState}));
      places.push_back(true);
    }
    initial.from_data = places;
    list.push_back(initial);
  }
  for (const int64_t directions : {1, 2})
    list.push_back(
        {"GRU",
         {x},
         weights(directions, 3),
         with_state({{"linear_before_reset", int64_t{1}},
                     {"direction", std::string(directions == 1 ? "forward" : "bidirectional")}}),
         2});
  list.push_back({"RNN", {x}, weights(1, 1), with_state({{"activations", Texts{"Relu"}}}), 2});
  list.push_back({"LSTM",
                  {x},
                  weights(1, 4),
                  with_state({{"activations", Texts{"Sigmoid", "Tanh", "Relu"}}}),
                  3});
  return list;
}

std::vector<Case> einsum_cases() {
  std::vector<Case> list;
  const auto add = [&](std::string equation, std::vector<Shape> x, std::vector<at::Tensor> c = {},
                       bool moves_data = false) {
    list.push_back(
        {"Einsum", std::move(x), std::move(c), {{"equation", std::move(equation)}}, 1, moves_data});
  };
  add("bic,bjc->bij", {{2, 3, 4}, {2, 5, 4}});
  add("bij, bjd, de -> bie", {{2, 3, 4}, {2, 4, 5}}, {weight({5, 6})});
  add("bcd,cde->be", {{2, 3, 4}}, {weight({3, 4, 5})});
  add("bi,bj", {{2, 3}, {2, 4}});
  add("bi,bi->bi", {{2, 3}, {2, 3}});
  add("bij->bi", {{2, 3, 4}});
  add("...ij,jk->...ik", {{2, 3, 4, 5}}, {weight({5, 6})});
  add("bij->jbi", {{2, 3, 4}}, {}, /*moves_data=*/true);
  add("bii->bi", {{2, 3, 3}}, {}, /*moves_data=*/true);
  return list;
}

CRRM_CHECK_OPERATORS(Recurrent, recurrent_cases());
CRRM_CHECK_OPERATORS(Einsum, einsum_cases());

Graph recurrent_network(const std::string& op, int64_t gates, Attributes attributes) {
  const bool batch_first = attributes.contains("layout");
  const bool both = attributes.contains("direction");
  const std::vector<at::Tensor> constants = weights(both ? 2 : 1, gates);
  Graph graph;
  graph.inputs = {{"x", at::kFloat, {-1, kSteps, 7}, {"batch", "", ""}}};
  graph.parameters = {{"stem", weight({7, kFeatures})},
                      {"W", constants[0]},
                      {"R", constants[1]},
                      {"B", constants[2]},
                      {"head", weight({kState, 2})}};
  const auto add = [&](const std::string& name, const std::string& kind, Texts inputs,
                       Attributes own = {}) {
    graph.nodes.push_back({.op = kind,
                           .name = name,
                           .domain = "",
                           .inputs = std::move(inputs),
                           .outputs = {name + ".out"},
                           .attributes = std::move(own)});
  };
  add("features", "MatMul", {"x", "stem"});
  if (!batch_first) add("steps", "Transpose", {"features.out"}, {{"perm", Ints{1, 0, 2}}});
  add("cell", op, {batch_first ? "features.out" : "steps.out", "W", "R", "B"},
      with_state(std::move(attributes)));
  add("head", "MatMul", {"cell.out", "head"});
  if (!batch_first) add("back", "Transpose", {"head.out"}, {{"perm", Ints{2, 0, 1, 3}}});
  const std::string last = graph.nodes.back().outputs[0];
  graph.outputs = {{last, at::kFloat, {-1, kSteps, both ? 2 : 1, 2}, {"batch", "", "", ""}}};
  return graph;
}

at::Tensor network_input() {
  return weight({kBatch, kSteps, 7}).to(at::kDouble);
}

class RecurrentNetworkTest : public ::testing::TestWithParam<std::tuple<std::string, int64_t>> {
 protected:
  Graph network(Attributes attributes = {}) const {
    return to_type(
        recurrent_network(std::get<0>(GetParam()), std::get<1>(GetParam()), std::move(attributes)),
        at::kDouble);
  }
};

Coupling couple(const Graph& graph) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
}

TEST_P(RecurrentNetworkTest, LayoutMovesTheBatchAlone) {
  const Tensors expected = Executor(network()).run({network_input()});
  const Tensors found = Executor(network({{"layout", int64_t{1}}})).run({network_input()});
  EXPECT_LT(difference(expected, found).absolute, 1e-12);
}

// Features and states are units, one a state where both directions read it; masked is cut.
TEST_P(RecurrentNetworkTest, ShrinksExactly) {
  for (const Attributes& attributes : {Attributes{}, Attributes{{"layout", int64_t{1}}},
                                       Attributes{{"direction", std::string("bidirectional")}},
                                       Attributes{{"linear_before_reset", int64_t{1}}}}) {
    const Graph graph = network(attributes);
    const Coupling coupling = couple(graph);
    ASSERT_EQ(coupling.size(), kFeatures + kState);
    std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
    for (size_t unit : {0, 2, 6, 7, 10}) alive[unit] = false;
    const Tensors masked = Executor(insert_gates(graph, coupling))
                               .run({network_input(), hard_gates(alive, at::kDouble)});
    const Tensors found = Executor(cut(graph, coupling, alive)).run({network_input()});
    EXPECT_LT(difference(masked, found).absolute, 1e-12);
  }
}

/// Gives the network's cell an initial state as exporters write it: a slice of zeros, their extents
/// computed from the batch.
void add_zeros(Graph& graph) {
  const auto add = [](const std::string& name, const std::string& kind, Texts inputs,
                      Attributes own = {}) {
    return Node{.op = kind,
                .name = name,
                .domain = "",
                .inputs = std::move(inputs),
                .outputs = {name + ".out"},
                .attributes = std::move(own)};
  };
  graph.parameters["layers"] = ints({2});
  graph.parameters["state"] = ints({kState});
  graph.parameters["0"] = ints({0});
  graph.parameters["1"] = ints({1});
  const std::vector<Node> zeros = {
      add("batch", "Shape", {"x"}, {{"start", int64_t{0}}, {"end", int64_t{1}}}),
      add("extents", "Concat", {"layers", "batch.out", "state"}, {{"axis", int64_t{0}}}),
      add("zeros", "ConstantOfShape", {"extents.out"}),
      add("layer", "Slice", {"zeros.out", "0", "1", "0"})};
  graph.nodes.insert(graph.nodes.begin(), zeros.begin(), zeros.end());
  for (Node& node : graph.nodes)
    if (node.name == "cell") node.inputs.insert(node.inputs.end(), {"", "layer.out"});
}

TEST_P(RecurrentNetworkTest, ZerosMadeAtRunTimeDoNotHoldTheState) {
  Graph graph = network();
  add_zeros(graph);
  const Tensors expected = Executor(network()).run({network_input()});
  EXPECT_LT(difference(expected, Executor(graph).run({network_input()})).absolute, 1e-12);
  const Coupling coupling = couple(graph);
  ASSERT_EQ(coupling.size(), kFeatures + kState);
  std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
  alive[7] = false;
  const Tensors masked = Executor(insert_gates(graph, coupling))
                             .run({network_input(), hard_gates(alive, at::kDouble)});
  const Tensors found = Executor(cut(graph, coupling, alive)).run({network_input()});
  EXPECT_LT(difference(masked, found).absolute, 1e-12);
}

// A sample with its own gates gives what the network gives whose gates are that sample's.
TEST_P(RecurrentNetworkTest, GatesAreEachSamplesOwn) {
  const Graph graph = network({{"direction", std::string("bidirectional")}});
  const Coupling coupling = couple(graph);
  const Executor gated(insert_gates(graph, coupling));
  const at::Tensor z =
      weight({kBatch, coupling.size() + 1}).to(at::kDouble);  // the last column is no unit's
  const at::Tensor together = gated.run({network_input(), z})[0];
  for (int64_t n = 0; n < kBatch; ++n) {
    const at::Tensor alone = gated.run({network_input().narrow(0, n, 1), z.narrow(0, n, 1)})[0];
    EXPECT_LT(difference({alone}, {together.narrow(0, n, 1)}).absolute, 1e-12);
  }
}

// Under compression the recurrent weight learns, and cutting closed states away changes nothing.
TEST_P(RecurrentNetworkTest, CompactionChangesNothing) {
  const at::NoGradGuard no_grad;
  GatedNetwork network(recurrent_network(std::get<0>(GetParam()), std::get<1>(GetParam()), {}), {},
                       {});
  EXPECT_THAT(learned_parameters(network.gated()),
              ::testing::UnorderedElementsAre("stem", "W", "R", "B", "head"));
  const at::Tensor x = network_input().to(at::kFloat);
  network.observe(at::arange(1, network.units() + 2, at::kDouble).unsqueeze(0));
  network.control({{Resource::macs, network.cost().macs * 3 / 5}});
  ASSERT_TRUE(network.can_compact());
  const at::Tensor gates = hard_gates(network.alive());
  const Tensors masked = network.run({x}, gates, false);
  network.compact();
  EXPECT_LT(difference(masked, network.run({x}, gates, false)).relative, 1e-5);
  EXPECT_LT(difference(masked, network.run({x}, {}, false)).relative, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RecurrentNetworkTest,
                         ::testing::Values(std::tuple("RNN", 1), std::tuple("GRU", 3),
                                           std::tuple("LSTM", 4)),
                         [](const auto& info) { return std::get<0>(info.param); });

// Every step multiplies G H rows by the I features and by the H states.
TEST_P(RecurrentNetworkTest, CountsEveryStep) {
  const int64_t cell = std::get<1>(GetParam()) * kState * (kFeatures + kState);
  EXPECT_EQ(cost(network(), {}).macs, kSteps * (7 * kFeatures + cell + kState * 2));
}

TEST(Einsum, CountsEveryLetterOnce) {
  const auto macs = [](const std::string& equation, const NodeShapes& shapes) {
    const Node node{.op = "Einsum",
                    .name = "node",
                    .domain = "",
                    .inputs = Texts(shapes.inputs.size(), "x"),
                    .outputs = {"y"},
                    .attributes = {{"equation", equation}}};
    return get_operator(node).macs(node, shapes);
  };
  EXPECT_EQ(macs("bij,bjd,de->bie", {{{2, 3, 4}, {2, 4, 5}, {5, 6}}, {{2, 3, 6}}}),
            2 * 3 * 4 * 5 * 6);
  EXPECT_EQ(macs("...ij,jk->...ik", {{{7, 2, 3, 4}, {4, 5}}, {{7, 2, 3, 5}}}), 7 * 2 * 3 * 4 * 5);
  EXPECT_EQ(macs("bij->bi", {{{2, 3, 4}}, {{2, 3}}}), 0);
}

TEST(Recurrent, RefusesWhatItDoesNotCompute) {
  const std::vector<std::pair<Attributes, std::string>> refused = {
      {{{"clip", 1.0}}, "clip"},
      {{{"input_forget", int64_t{1}}}, "input_forget"},
      {{{"activations", Texts{"Sigmoid", "Affine", "Tanh"}}}, "Affine"},
      {{{"activations", Texts{"Tanh"}}}, "3 activations"}};
  for (const auto& [attributes, text] : refused) {
    const Graph graph = recurrent_network("LSTM", 4, attributes);
    try {
      Executor(graph).run({network_input().to(at::kFloat)});
      ADD_FAILURE() << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("\"cell\""));
      EXPECT_THAT(error.what(), ::testing::HasSubstr(text));
    }
  }
}

}  // namespace
}  // namespace crrm
