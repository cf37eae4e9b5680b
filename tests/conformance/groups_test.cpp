// Convolutions in groups: equally many channels of each block, or whole blocks where that cannot
// be.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/selection.h"
#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/proof.h"

namespace crrm {
namespace {

at::Tensor random(const Shape& shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble));
}

/// x [N, 3, 6, 6] through convolutions one after the other, each followed by Tanh.
class Chain {
 public:
  Chain() { graph_.inputs = {{"x", at::kDouble, {-1, 3, 6, 6}, {"batch", "", "", ""}}}; }
  Chain& conv(const Shape& weight, int64_t groups, const char* op = "Conv") {
    const std::string name = fmt::format("conv{}", ++count_);
    graph_.parameters[name + ".weight"] = random(weight, static_cast<uint64_t>(count_));
    graph_.nodes.push_back({.op = op,
                            .name = name,
                            .domain = "",
                            .inputs = {last_, name + ".weight"},
                            .outputs = {name},
                            .attributes = {{"group", groups}}});
    graph_.nodes.push_back({.op = "Tanh",
                            .name = name + ".tanh",
                            .domain = "",
                            .inputs = {name},
                            .outputs = {name + "+"},
                            .attributes = {}});
    last_ = name + "+";
    return *this;
  }
  Graph done() {
    graph_.outputs = {{last_, at::kDouble, {-1, -1, -1, -1}, {"batch", "", "", ""}}};
    return graph_;
  }

 private:
  Graph graph_;
  std::string last_ = "x";
  int count_ = 0;
};

Coupling couple(const Graph& graph) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
}

/// The masked network against the cut one, for budgets from whole to least.
void expect_exact(const Graph& graph) {
  const Coupling coupling = couple(graph);
  const CostModel cost(graph, coupling);
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const at::Tensor fisher = random({coupling.size()}, 9).abs();
  const at::Tensor weight = unit_weights(coupling, cost, all, Resource::params);
  const int64_t whole = cost(all).params, least = smallest_cost(coupling, cost).params;
  const Executor masked(insert_gates(graph, coupling));
  const at::Tensor x = random({2, 3, 6, 6}, 10);
  for (const double share : {0.0, 0.3, 0.6, 0.9}) {
    const int64_t limit = least + static_cast<int64_t>(share * static_cast<double>(whole - least));
    const std::vector<bool> alive =
        select(coupling, cost, all, fisher, weight, {{Resource::params, limit}}).alive;
    EXPECT_LE(cost(alive).params, limit);
    for (const EqualCount& equal : coupling.equal_counts())
      for (const std::vector<int>& block : equal.blocks)
        EXPECT_EQ(std::count_if(block.begin(), block.end(), [&](int u) { return alive[u]; }),
                  std::count_if(equal.blocks[0].begin(), equal.blocks[0].end(),
                                [&](int u) { return alive[u]; }));
    const Graph smaller = cut(graph, coupling, alive);
    EXPECT_EQ(crrm::cost(smaller).params, cost(alive).params);
    EXPECT_EQ(crrm::cost(smaller).macs, cost(alive).macs);
    EXPECT_LT(
        difference(masked.run({x, hard_gates(alive, at::kDouble)}), Executor(smaller).run({x}))
            .relative,
        1e-12);
    const Graph back = expand(graph, coupling, alive, smaller);
    for (const auto& [name, tensor] : graph.parameters)
      EXPECT_TRUE(at::equal(back.parameters.at(name), tensor)) << name;
  }
}

TEST(Groups, LoseEquallyManyOfEachBlock) {
  const Graph graph =
      Chain().conv({8, 3, 3, 3}, 1).conv({12, 2, 3, 3}, 4).conv({5, 12, 1, 1}, 1).done();
  EXPECT_EQ(couple(graph).size(), 8 + 12);
  EXPECT_EQ(couple(graph).equal_counts().size(), 2u);
  expect_exact(graph);
}

// An input has 3 x 9 weights before, and of its column in the rows of one block 3 x 9; an output
// has 2 x 9 and 5 behind.
TEST(Groups, CostAUnitsShareOfWhatGoesTogether) {
  const Graph graph =
      Chain().conv({8, 3, 3, 3}, 1).conv({12, 2, 3, 3}, 4).conv({5, 12, 1, 1}, 1).done();
  const Coupling coupling = couple(graph);
  const std::vector<Cost> costs =
      unit_costs(coupling, CostModel(graph, coupling),
                 std::vector<bool>(static_cast<size_t>(coupling.size()), true));
  ASSERT_EQ(costs.size(), 2u);
  EXPECT_EQ(costs[0].params, 27 + 27);
  EXPECT_EQ(costs[1].params, 18 + 5);
}

TEST(Groups, OfTransposedConvolutionsToo) {
  const Graph graph = Chain()
                          .conv({8, 3, 3, 3}, 1)
                          .conv({8, 3, 2, 2}, 4, "ConvTranspose")
                          .conv({5, 12, 1, 1}, 1)
                          .done();
  EXPECT_EQ(couple(graph).size(), 8 + 12);
  expect_exact(graph);
}

// Found by random networks: nothing of the outputs may go, equally many inputs of each block may.
TEST(Groups, LoseInputsAloneWhereTheOutputsStay) {
  const Graph graph = Chain().conv({8, 3, 3, 3}, 1).conv({8, 2, 3, 3}, 2, "ConvTranspose").done();
  EXPECT_EQ(couple(graph).size(), 8);
  expect_exact(graph);
}

TEST(Groups, LoseWholeBlocksWhereEachHasOneChannel) {
  const Graph graph =
      Chain().conv({4, 3, 3, 3}, 1).conv({8, 1, 3, 3}, 4).conv({5, 8, 1, 1}, 1).done();
  EXPECT_EQ(couple(graph).size(), 4);
  EXPECT_TRUE(couple(graph).equal_counts().empty());
  expect_exact(graph);
}

// The channels between are two blocks of six for one convolution and three of four for the other:
// whole blocks of both are the whole axis.
TEST(Groups, StayWherePartitionsCross) {
  const Graph graph = Chain()
                          .conv({4, 3, 1, 1}, 1)
                          .conv({12, 2, 3, 3}, 2)
                          .conv({6, 4, 3, 3}, 3)
                          .conv({5, 6, 1, 1}, 1)
                          .done();
  EXPECT_EQ(couple(graph).size(), 1);
  expect_exact(graph);
}

}  // namespace
}  // namespace crrm
