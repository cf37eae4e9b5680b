#include "crrm/surgery/fold.h"

#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/coupling/cost.h"
#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/proof.h"
#include "tests/residual_networks.h"

namespace crrm {
namespace {

using test::couple;
using test::has_node;
using test::without_outputs_of;

struct Block {
  std::string name;
  Graph graph;
  std::vector<std::string> convolutions;  ///< that lose all outputs
  size_t nodes;                           ///< that are left
};

void PrintTo(const Block& block, std::ostream* out) {
  *out << block.name;
}

// conv1, relu1, the three nodes of the head, and what the block keeps.
std::vector<Block> blocks() {
  return {{"Basic", test::basic_block(), {"block2.conv"}, 5 + 2},
          {"WithoutConstant", test::small_network(), {"conv2"}, 5 + 2},
          {"Bottleneck", test::bottleneck_block(), {"block3.conv"}, 5 + 2},
          {"BothAxes", test::bottleneck_block(), {"block2.conv", "block3.conv"}, 5 + 2},
          {"Preactivation", test::preactivation_block(), {"block2.conv"}, 5 + 1},
          {"BehindAnActivation", test::scaled_branch(), {"block2.conv"}, 5 + 1},
          {"SqueezeAndExcite", test::squeeze_block(), {"squeeze"}, 5 + 3 + 1 + 2},
          {"BranchOfTwo", test::split_branch(), {"block2.conv", "block3.conv"}, 5 + 1},
          {"OneOfTwo", test::parallel_branches(), {"block4.conv"}, 5 + 4 + 1}};
}

class FoldBranches : public ::testing::TestWithParam<Block> {};

/// The masked network against the cut one, also with some of the stream gone.
TEST_P(FoldBranches, IsExact) {
  const Graph graph = to_type(GetParam().graph, at::kDouble);
  const Coupling coupling = couple(graph);
  const Executor masked(insert_gates(graph, coupling));
  const at::Tensor x = test::small_input().to(at::kDouble);
  std::vector<bool> alive = without_outputs_of(coupling, GetParam().convolutions);
  for (const int closed : {0, 2}) {
    for (int i = 0; i < closed; ++i) alive[coupling.groups()[0].units[2 * i + 1]] = false;
    const Graph small = cut(graph, coupling, alive);
    EXPECT_EQ(small.nodes.size(), GetParam().nodes);
    EXPECT_LT(difference(masked.run({x, hard_gates(alive, at::kDouble)}), Executor(small).run({x}))
                  .relative,
              1e-12);
    EXPECT_EQ(cost(small).macs, CostModel(graph, coupling)(alive).macs);
    EXPECT_EQ(cost(small).params, CostModel(graph, coupling)(alive).params);
    for (const std::string& convolution : GetParam().convolutions)
      EXPECT_FALSE(has_node(small, convolution));
  }
}

TEST_P(FoldBranches, IsProved) {
  const Graph& graph = GetParam().graph;
  const Coupling coupling = couple(graph);
  const std::vector<bool> alive = without_outputs_of(coupling, GetParam().convolutions);
  Graph small = clone(cut(graph, coupling, alive));
  for (auto& [name, tensor] : small.parameters)  // training went on, but for the constants
    if (tensor.is_floating_point() && graph.is_parameter(name)) tensor = tensor * 1.1;
  const Graph whole = insert_gates(expand(graph, coupling, alive, small), coupling);
  for (const Proof& proof : prove_cut(graph, coupling, alive, small, whole, test::small_input()))
    EXPECT_TRUE(proof.ok) << proof.runtime << " " << proof.max_abs_diff;
}

TEST_P(FoldBranches, OfAWrongConstantIsDisproved) {
  const Graph& graph = GetParam().graph;
  const Coupling coupling = couple(graph);
  const std::vector<bool> alive = without_outputs_of(coupling, GetParam().convolutions);
  Graph small = clone(cut(graph, coupling, alive));
  bool folded = false;
  for (auto& [name, tensor] : small.parameters)
    if (!graph.is_parameter(name)) {
      tensor = tensor + 0.1;
      folded = true;
    }
  const std::vector<Proof> proofs =
      prove_cut(graph, coupling, alive, small, insert_gates(graph, coupling), test::small_input());
  EXPECT_EQ(std::all_of(proofs.begin(), proofs.end(), [](const Proof& p) { return p.ok; }),
            !folded);
}

INSTANTIATE_TEST_SUITE_P(Blocks, FoldBranches, ::testing::ValuesIn(blocks()),
                         [](const auto& info) { return info.param.name; });

// c = (0 - mean) / sqrt(var + epsilon) scale + bias
TEST(FoldBranches, ComputesWhatTheNormalisationMakesOfZero) {
  const Graph graph = test::basic_block();
  const Coupling coupling = couple(graph);
  const Graph small = cut(graph, coupling, without_outputs_of(coupling, {"block2.conv"}));
  const auto of = [&](const char* name) { return graph.parameters.at(name).to(at::kDouble); };
  const at::Tensor expected =
      of("bn3.bias") - of("bn3.mean") * of("bn3.scale") / at::sqrt(of("bn3.var") + 1e-5);  // [C]
  const at::Tensor& found = small.parameters.at("bn3.out.constant");
  ASSERT_EQ(found.sizes(), (at::IntArrayRef{1, test::kStream, 1, 1}));
  EXPECT_TRUE(at::allclose(found.flatten().to(at::kDouble), expected, 1e-5, 1e-6));
}

TEST(FoldBranches, MakesNoWeightOfTheConstant) {
  for (const Graph& graph : {test::basic_block(), test::preactivation_block()}) {
    const Coupling coupling = couple(graph);
    const Graph small = cut(graph, coupling, without_outputs_of(coupling, {"block2.conv"}));
    for (const std::string& name : learned_parameters(small))
      EXPECT_FALSE(name.ends_with(".constant")) << name;
  }
}

// conv3 has no bias: it gives zeros whatever training does, and the sum is its other operand.
TEST(FoldBranches, DropsASumWithNothing) {
  const Graph graph = test::small_network();
  const Coupling coupling = couple(graph);
  const Graph small = cut(graph, coupling, without_outputs_of(coupling, {"conv2"}));
  EXPECT_FALSE(has_node(small, "sum"));
  EXPECT_EQ(small.parameters.size(), 7u) << "conv1, bn1 and fc are left";
}

TEST(FoldBranches, RefusesWhatIsNotExact) {
  const Graph graph = test::concat_block();
  const Coupling coupling = couple(graph);
  EXPECT_THROW(cut(graph, coupling, without_outputs_of(coupling, {"block2.conv"})), InternalError);
}

}  // namespace
}  // namespace crrm
