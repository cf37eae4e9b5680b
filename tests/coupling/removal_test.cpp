#include "crrm/coupling/removal.h"

#include <gmock/gmock.h>

#include "crrm/base/error.h"
#include "crrm/coupling/cost.h"
#include "crrm/coupling/subsets.h"
#include "tests/residual_networks.h"

namespace crrm {
namespace {

using test::couple;
using test::without_outputs_of;
using testing::HasSubstr;

/// What stands in the way of a network without all outputs of these convolutions.
std::string obstacle(const Graph& graph, const std::vector<std::string>& convolutions) {
  const Coupling coupling = couple(graph);
  const std::vector<bool> alive = without_outputs_of(coupling, convolutions);
  const Removal removal(graph, coupling);
  EXPECT_TRUE(removal.empties(alive));
  return removal(alive).obstacle;
}

TEST(Removal, LetsTheInsideOfAResidualBranchGo) {
  EXPECT_EQ(obstacle(test::small_network(), {"conv2"}), "");
  EXPECT_EQ(obstacle(test::basic_block(), {"block2.conv"}), "");
  EXPECT_EQ(obstacle(test::preactivation_block(), {"block2.conv"}), "");
  EXPECT_EQ(obstacle(test::scaled_branch(), {"block2.conv"}), "");
  EXPECT_EQ(obstacle(test::bottleneck_block(), {"block3.conv"}), "");
  EXPECT_EQ(obstacle(test::bottleneck_block(), {"block2.conv", "block3.conv"}), "");
}

// What follows is a contraction whose padding would see the constant.
TEST(Removal, StopsAtAnotherConvolution) {
  EXPECT_THAT(obstacle(test::bottleneck_block(), {"block2.conv"}), HasSubstr("\"conv4\" (Conv)"));
}

TEST(Removal, StopsAtAMapThatIsReadElsewhere) {
  EXPECT_THAT(obstacle(test::squeeze_block(), {"block2.conv"}), HasSubstr("GlobalAveragePool"));
  EXPECT_EQ(obstacle(test::squeeze_block(), {"squeeze"}), "") << "a factor for each channel stays";
}

TEST(Removal, StopsAtAConcat) {
  EXPECT_THAT(obstacle(test::concat_block(), {"block2.conv"}), HasSubstr("Concat"));
  EXPECT_THAT(obstacle(test::split_branch(), {"block2.conv"}), HasSubstr("Concat"));
  EXPECT_EQ(obstacle(test::split_branch(), {"block2.conv", "block3.conv"}), "");
}

// The inputs always reach the outputs.
TEST(Removal, LeavesAPath) {
  EXPECT_THAT(obstacle(test::basic_block(), {"conv1"}), HasSubstr("output"));
  EXPECT_EQ(obstacle(test::parallel_branches(), {"block2.conv"}), "");
  EXPECT_EQ(obstacle(test::parallel_branches(), {"block4.conv"}), "");
  EXPECT_THAT(obstacle(test::parallel_branches(), {"block2.conv", "block4.conv"}),
              HasSubstr("GlobalAveragePool"));
}

TEST(Removal, SaysWhatBecomesOfEachNode) {
  const Graph graph = test::bottleneck_block();
  const Coupling coupling = couple(graph);
  const Remains remains = Removal(graph, coupling)(without_outputs_of(coupling, {"block3.conv"}));
  std::map<std::string, Fate> fates;
  for (size_t n = 0; n < graph.nodes.size(); ++n) fates[graph.nodes[n].name] = remains.fates[n];
  for (const char* name : {"block2.conv", "block2.bn", "block2", "block3.conv", "block3"})
    EXPECT_EQ(fates.at(name), Fate::goes) << name;
  for (const char* name : {"conv4", "bn4"}) EXPECT_EQ(fates.at(name), Fate::folds) << name;
  for (const char* name : {"conv1", "relu1", "sum", "relu4", "fc"})
    EXPECT_EQ(fates.at(name), Fate::stays) << name;
}

TEST(Removal, ClosesTheUnitsThatNobodyReads) {
  const Graph graph = test::bottleneck_block();
  const Coupling coupling = couple(graph);
  EXPECT_EQ(Removal(graph, coupling).without_unread(without_outputs_of(coupling, {"block3.conv"})),
            without_outputs_of(coupling, {"block2.conv", "block3.conv"}));
}

// conv1 and the classifier are left: 64 places, 3 x 3 kernels.
TEST(Removal, CostsWhatIsLeft) {
  const Graph graph = test::bottleneck_block();
  const Coupling coupling = couple(graph);
  const Cost cost = CostModel(graph, coupling)(without_outputs_of(coupling, {"block3.conv"}));
  EXPECT_EQ(cost.macs, 64 * 9 * 3 * test::kStream + test::kStream * test::kClasses);
  EXPECT_EQ(cost.params, 9 * 3 * test::kStream + (test::kStream + 1) * test::kClasses);
}

TEST(CheckSubset, NamesTheAxisThatMustKeepAUnit) {
  const Graph graph = test::concat_block();
  const Coupling coupling = couple(graph);
  try {
    check_subset(coupling, without_outputs_of(coupling, {"block2.conv"}), "units.json");
    FAIL() << "a branch that ends in a Concat was removed";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("units.json: block2.conv.weight[0]"));
    EXPECT_THAT(error.what(), HasSubstr("at least one unit that stays"));
    EXPECT_THAT(error.what(), HasSubstr("\"both\" (Concat) would read a constant"));
  }
}

// Whatever goes by chance can be cut, and nothing living is unread.
TEST(RandomSubset, EmptiesOnlyWhatMay) {
  for (const Graph& graph :
       {test::bottleneck_block(), test::split_branch(), test::parallel_branches(),
        test::concat_block(), test::squeeze_block()}) {
    const Coupling coupling = couple(graph);
    const Removal removal(graph, coupling);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<bool> alive = random_subset(coupling, 0.95, seed);
      EXPECT_TRUE(removal.possible(alive)) << "seed " << seed;
      EXPECT_EQ(removal.without_unread(alive), alive) << "seed " << seed;
    }
  }
}

// With chance one all goes that may: the whole block, and of the stream one channel stays.
TEST(RandomSubset, EmptiesAllThatMay) {
  for (const Graph& graph : {test::bottleneck_block(), test::split_branch()}) {
    const Coupling coupling = couple(graph);
    const std::vector<bool> alive = random_subset(coupling, 1, 1);
    EXPECT_EQ(std::count(alive.begin(), alive.end(), true), 1);
  }
}

}  // namespace
}  // namespace crrm
