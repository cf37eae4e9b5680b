#include "crrm/bottleneck/selection.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "tests/small_network.h"

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
    const Selection found = select(coupling_, cost_, all_, fisher, weight, Resource::macs, limit);
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

TEST_F(SelectionTest, NeverEmptiesAnAxis) {
  const at::Tensor fisher = at::arange(1, coupling_.size() + 1, at::kDouble);
  const Cost least = smallest_cost(coupling_, cost_);
  EXPECT_EQ(least.macs, macs(1, 1));
  const Selection found =
      select(coupling_, cost_, all_, fisher, at::ones_like(fisher), Resource::macs, least.macs);
  for (const Group& group : coupling_.groups())  // the best unit of each group stays
    for (const int unit : group.units) EXPECT_EQ(found.alive[unit], unit == group.units.back());
}

TEST_F(SelectionTest, NamesTheSmallestBudget) {
  const at::Tensor ones = at::ones({coupling_.size()}, at::kDouble);
  try {
    select(coupling_, cost_, all_, ones, ones, Resource::macs, 10);
    FAIL() << "an impossible budget was met";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(macs(1, 1))));
  }
}

}  // namespace
}  // namespace crrm
