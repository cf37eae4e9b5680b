#include "crrm/bottleneck/selection.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "tests/residual_networks.h"

namespace crrm {
namespace {

using test::kClasses;
using test::kInner;
using test::kStream;

class SelectionTest : public ::testing::Test {
 protected:
  Graph graph_ = test::small_network();
  Coupling coupling_{graph_, infer_shapes(graph_, input_shapes(graph_, kCouplingBatch))};
  CostModel cost_{graph_, coupling_};
  std::vector<bool> all_ = std::vector<bool>(static_cast<size_t>(coupling_.size()), true);
};

/// Multiply-accumulates of the small network with s stream and i inner channels, written out.
int64_t macs(int64_t s, int64_t i) {
  return 64 * 9 * (3 * s + s * i + i * s) + s * kClasses;
}
int64_t params(int64_t s, int64_t i) {
  return 9 * (3 * s + s * i + i * s) + 2 * s + 2 * i + (s + 1) * kClasses;
}

TEST_F(SelectionTest, FindsTheUnitsOfStreamAndBranch) {
  ASSERT_EQ(coupling_.size(), kStream + kInner);
  ASSERT_EQ(coupling_.groups().size(), 2u);
  EXPECT_EQ(coupling_.groups()[0].name, "conv1.weight[0]");
  EXPECT_EQ(coupling_.groups()[0].units.size(), static_cast<size_t>(kStream));
  EXPECT_EQ(coupling_.groups()[1].units.size(), static_cast<size_t>(kInner));
}

TEST_F(SelectionTest, CountsWhatTheSmallerNetworkWouldCost) {
  EXPECT_EQ(cost_(all_).macs, macs(kStream, kInner));
  EXPECT_EQ(cost_(all_).params, params(kStream, kInner));
  std::vector<bool> alive = all_;
  alive[coupling_.groups()[0].units[1]] = false;
  alive[coupling_.groups()[1].units[0]] = false;
  EXPECT_EQ(cost_(alive).macs, macs(kStream - 1, kInner - 1));
  EXPECT_EQ(cost_(alive).params, params(kStream - 1, kInner - 1));
}

TEST_F(SelectionTest, WeighsUnitsByTheirMargin) {
  const at::Tensor weight = unit_weights(coupling_, cost_, all_, Resource::macs);  // [10]
  const double stream = static_cast<double>(macs(kStream, kInner) - macs(kStream - 1, kInner));
  const double inner = static_cast<double>(macs(kStream, kInner) - macs(kStream, kInner - 1));
  EXPECT_DOUBLE_EQ((weight[coupling_.groups()[0].units[0]] / weight[coupling_.groups()[1].units[0]])
                       .item<double>(),
                   stream / inner);
  EXPECT_NEAR(weight.mean().item<double>(), 1, 1e-12);
}

// Whatever the information: the budget is met, no closed unit could be opened again, and every
// closed unit lies at or below the water level.
TEST_F(SelectionTest, MeetsEveryBudgetAndUsesItUp) {
  const at::Tensor weight = unit_weights(coupling_, cost_, all_, Resource::macs);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const at::Tensor fisher = at::rand({coupling_.size()}, at::detail::createCPUGenerator(seed),
                                       at::TensorOptions(at::kDouble)) +
                              0.01;
    const int64_t limit = macs(kStream, kInner) * static_cast<int64_t>(40 + 3 * seed) / 100;
    const Selection found =
        select(coupling_, cost_, all_, fisher, weight, {{Resource::macs, limit}});
    EXPECT_LE(cost_(found.alive).macs, limit) << "seed " << seed;
    for (int u = 0; u < coupling_.size(); ++u) {
      if (found.alive[u]) continue;
      std::vector<bool> reopened = found.alive;
      reopened[u] = true;
      EXPECT_GT(cost_(reopened).macs, limit) << "seed " << seed << " unit " << u;
      EXPECT_LE((fisher[u] / weight[u]).item<double>(), found.beta)
          << "seed " << seed << " unit " << u;
    }
  }
}

// Whatever the information: each group keeps a multiple, or all that it may not lose.
TEST_F(SelectionTest, LeavesMultiples) {
  for (const int64_t multiple : {2, 4})  // of 6 and 4 units: sets of 2, and of 2 and 4
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const at::Tensor fisher = at::rand({coupling_.size()}, at::detail::createCPUGenerator(seed),
                                         at::TensorOptions(at::kDouble));
      const int64_t limit = macs(kStream, kInner) * static_cast<int64_t>(30 + 3 * seed) / 100;
      std::vector<bool> alive = all_;
      for (const int64_t most : {(limit + macs(kStream, kInner)) / 2, limit}) {  // as a ramp falls
        alive = select(coupling_, cost_, alive, fisher, at::ones_like(fisher),
                       {{Resource::macs, most}}, {multiple})
                    .alive;
        EXPECT_LE(cost_(alive).macs, most);
        for (const Group& group : coupling_.groups()) {
          const int64_t kept = std::count_if(group.units.begin(), group.units.end(),
                                             [&](int unit) { return alive[unit]; });
          EXPECT_TRUE(kept % multiple == 0 || kept == static_cast<int64_t>(group.units.size()))
              << "multiple " << multiple << ", seed " << seed << ", " << group.name << ": " << kept;
        }
      }
    }
}

// Two layers in a row of equal information cost s i together. At the dense network, where s is
// large, an inner unit costs more than one of the stream, so that the cost of the dense network
// would close inner units alone; settled weights are those of what is left.
TEST_F(SelectionTest, SettlesWeightsAtWhatIsLeft) {
  const at::Tensor fisher = at::rand({coupling_.size()}, at::detail::createCPUGenerator(5),
                                     at::TensorOptions(at::kDouble));
  const std::vector<Limit> limits = {{Resource::macs, macs(kStream, kInner) / 3}};
  const at::Tensor settled = settled_weights(coupling_, cost_, all_, fisher, limits);
  const auto lost = [&](const at::Tensor& weight) {
    const std::vector<bool> alive = select(coupling_, cost_, all_, fisher, weight, limits).alive;
    double sum = 0;
    for (int u = 0; u < coupling_.size(); ++u)
      if (!alive[u]) sum += fisher[u].item<double>();
    return sum;
  };
  EXPECT_LE(lost(settled), lost(unit_weights(coupling_, cost_, all_, Resource::macs)));
  EXPECT_LE(lost(settled), lost(at::ones_like(fisher)));
  EXPECT_GT(lost(settled), 0);
}

/// What is left of it without the branch, and with s stream channels.
int64_t macs_without_branch(int64_t s) {
  return 64 * 9 * 3 * s + s * kClasses;
}

// The branch may go, the stream may not: its best unit stays.
TEST_F(SelectionTest, KeepsOneUnitWhereTheAxisMayNotBeEmpty) {
  const at::Tensor fisher = at::arange(1, coupling_.size() + 1, at::kDouble);
  const Cost least = smallest_cost(coupling_, cost_);
  EXPECT_EQ(least.macs, macs_without_branch(1));
  const Selection found =
      select(coupling_, cost_, all_, fisher, at::ones_like(fisher), {{Resource::macs, least.macs}});
  for (const int unit : coupling_.groups()[0].units)
    EXPECT_EQ(found.alive[unit], unit == coupling_.groups()[0].units.back());
  for (const int unit : coupling_.groups()[1].units) EXPECT_FALSE(found.alive[unit]);
}

// A branch without information goes as a whole before anything else does, and comes back never: the
// budget is what the stream costs.
TEST_F(SelectionTest, RemovesAUselessBranchAsAWhole) {
  at::Tensor fisher = at::ones({coupling_.size()}, at::kDouble);
  for (const int unit : coupling_.groups()[1].units) fisher[unit] = 1e-9;
  const at::Tensor weight = unit_weights(coupling_, cost_, all_, Resource::macs);
  const Selection found = select(coupling_, cost_, all_, fisher, weight,
                                 {{Resource::macs, macs_without_branch(kStream)}});
  EXPECT_EQ(found.alive, test::without_outputs_of(coupling_, {"conv2"}));
  EXPECT_EQ(cost_(found.alive).macs, macs_without_branch(kStream));
  EXPECT_LT(found.beta, 1e-6);
}

// The last unit is worth the whole branch: 0 to 1 units save what 9 (6 s + 6 s) weights cost.
TEST_F(SelectionTest, WeighsTheLastUnitByTheBranch) {
  std::vector<bool> alive = all_;
  const std::vector<int>& inner = coupling_.groups()[1].units;
  for (size_t i = 1; i < inner.size(); ++i) alive[inner[i]] = false;
  const std::vector<Cost> costs = unit_costs(coupling_, cost_, alive);
  EXPECT_EQ(costs[1].macs, macs(kStream, 1) - macs_without_branch(kStream));
  EXPECT_EQ(costs[1].params,
            params(kStream, 1) - 9 * 3 * kStream - 2 * kStream - (kStream + 1) * kClasses);
}

/// The budget at which all but the units of these convolutions may stay, and what is selected.
std::vector<bool> select_without(const Graph& graph, const std::vector<std::string>& useless) {
  const Coupling coupling = test::couple(graph);
  const CostModel cost(graph, coupling);
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const std::vector<bool> wanted = test::without_outputs_of(coupling, useless);
  at::Tensor fisher = at::ones({coupling.size()}, at::kDouble);
  for (int unit = 0; unit < coupling.size(); ++unit)
    if (!wanted[unit]) fisher[unit] = 1e-9 * (coupling.size() - unit);
  return select(coupling, cost, all, fisher, at::ones_like(fisher),
                {{Resource::macs, cost(wanted).macs}})
      .alive;
}

// The first axis may be empty only where the second is: it waits, and goes with it.
TEST(Selection, EmptiesBothAxesOfABottleneck) {
  const Graph graph = test::bottleneck_block();
  EXPECT_EQ(select_without(graph, {"block2.conv", "block3.conv"}),
            test::without_outputs_of(test::couple(graph), {"block2.conv", "block3.conv"}));
}

// Neither axis may be empty alone.
TEST(Selection, EmptiesAxesTogether) {
  const Graph graph = test::split_branch();
  EXPECT_EQ(select_without(graph, {"block2.conv", "block3.conv"}),
            test::without_outputs_of(test::couple(graph), {"block2.conv", "block3.conv"}));
}

// Units whose only readers are gone are closed, however much they tell.
TEST(Selection, ClosesWhatNobodyReads) {
  const Graph graph = test::bottleneck_block();
  EXPECT_EQ(select_without(graph, {"block3.conv"}),
            test::without_outputs_of(test::couple(graph), {"block2.conv", "block3.conv"}));
}

// Of two branches without a shortcut one stays, whatever the budget.
TEST(Selection, LeavesAPath) {
  const Graph graph = test::parallel_branches();
  const Coupling coupling = test::couple(graph);
  const CostModel cost(graph, coupling);
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const at::Tensor ones = at::ones({coupling.size()}, at::kDouble);
  const int64_t least = smallest_cost(coupling, cost).macs;
  const std::vector<bool> alive =
      select(coupling, cost, all, ones, ones, {{Resource::macs, least}}).alive;
  EXPECT_TRUE(cost.removal().possible(alive));
  EXPECT_TRUE(cost.removal().empties(alive));
}

TEST_F(SelectionTest, NamesTheSmallestBudget) {
  const at::Tensor ones = at::ones({coupling_.size()}, at::kDouble);
  try {
    select(coupling_, cost_, all_, ones, ones, {{Resource::macs, 10}});
    FAIL() << "an impossible budget was met";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(macs_without_branch(1))));
  }
}

}  // namespace
}  // namespace crrm
