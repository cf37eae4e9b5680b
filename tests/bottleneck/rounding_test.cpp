#include "crrm/bottleneck/rounding.h"

#include <gmock/gmock.h>

#include "crrm/coupling/cost.h"
#include "crrm/coupling/subsets.h"
#include "tests/residual_networks.h"

namespace crrm {
namespace {

using Alive = std::vector<bool>;

/// conv1 (3 -> 32) -> conv2 (32 -> 16) -> conv3 (16 -> 32), with conv1's map added: a stream of 32
/// and 16 inside.
class RoundingTest : public testing::Test {
 protected:
  static Graph network() {
    test::Builder b(/*seed=*/1);
    b.graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
    b.conv("conv1", "x", 3, 32);
    b.conv("conv2", "conv1.out", 32, 16);
    b.conv("conv3", "conv2.out", 16, 32);
    b.add("Add", "sum", {"conv3.out", "conv1.out"});
    b.add("GlobalAveragePool", "pool", {"sum.out"});
    b.add("Flatten", "flat", {"pool.out"});
    b.graph.parameters["fc.weight"] = b.random({32, 5});
    b.add("Gemm", "fc", {"flat.out", "fc.weight"});
    b.graph.outputs = {{"fc.out", at::kFloat, {-1, 5}, {"batch", ""}}};
    return b.graph;
  }

  /// With the first `count` units of a group.
  Alive with(int64_t stream, int64_t inner) const {
    Alive alive(static_cast<size_t>(coupling_.size()), false);
    for (int64_t i = 0; i < stream; ++i) alive[stream_[static_cast<size_t>(i)]] = true;
    for (int64_t i = 0; i < inner; ++i) alive[inner_[static_cast<size_t>(i)]] = true;
    return alive;
  }
  static int64_t count(const Alive& alive, const std::vector<int>& units) {
    return std::count_if(units.begin(), units.end(), [&](int unit) { return alive[unit]; });
  }
  int64_t stream(const Alive& alive) const { return count(alive, stream_); }
  int64_t inner(const Alive& alive) const { return count(alive, inner_); }

  Graph graph_ = network();
  Coupling coupling_ = test::couple(graph_);
  std::vector<int> stream_ = coupling_.groups()[0].units, inner_ = coupling_.groups()[1].units;
  at::Tensor score_ = at::arange(coupling_.size(), at::kDouble);
  static bool anything(const Alive&) { return true; }
};

int64_t padded(int64_t width, int64_t block) {
  return (width + block - 1) / block * block;
}

// A machine that fills blocks of 8: what lies in a block is free.
TEST_F(RoundingTest, FillsBlocksThatAreComputedAnyway) {
  const auto latency = [&](const Alive& alive) {
    return static_cast<double>(padded(stream(alive), 8) * padded(inner(alive), 8));
  };
  const Alive found = rounded_up(coupling_, with(13, 5), score_, latency, anything);
  EXPECT_EQ(stream(found), 16);
  EXPECT_EQ(inner(found), 8);
}

// Where time grows with every channel, nothing pays.
TEST_F(RoundingTest, LeavesWhatWouldCostTime) {
  const auto latency = [&](const Alive& alive) {
    return static_cast<double>(stream(alive) * inner(alive));
  };
  EXPECT_EQ(rounded_up(coupling_, with(13, 5), score_, latency, anything), with(13, 5));
}

// Slow unless both widths are multiples of 4: a step along one axis alone costs time.
TEST_F(RoundingTest, RoundsAxesTogetherWhereOnlyThatPays) {
  const auto latency = [&](const Alive& alive) {
    const bool fast = stream(alive) % 4 == 0 && inner(alive) % 4 == 0;
    return static_cast<double>(stream(alive) * inner(alive)) * (fast ? 1 : 3);
  };
  const Alive found = rounded_up(coupling_, with(13, 5), score_, latency, anything);
  EXPECT_EQ(stream(found), 16);
  EXPECT_EQ(inner(found), 8);
}

TEST_F(RoundingTest, OpensTheBestUnits) {
  const auto latency = [&](const Alive& alive) {
    return static_cast<double>(padded(stream(alive), 8));
  };
  const auto narrow_inside = [&](const Alive& alive) { return inner(alive) == 16; };
  at::Tensor score = at::zeros({coupling_.size()}, at::kDouble);
  for (const size_t best : {20, 31, 14}) score[stream_[best]] = 1 + static_cast<double>(best);
  const Alive found = rounded_up(coupling_, with(13, 16), score, latency, narrow_inside);
  Alive expected = with(13, 16);
  for (const size_t best : {20, 31, 14}) expected[stream_[best]] = true;
  EXPECT_EQ(found, expected);
}

TEST_F(RoundingTest, KeepsEveryLimit) {
  const CostModel cost(graph_, coupling_);
  const int64_t most = cost(with(15, 5)).params;
  const auto allowed = [&](const Alive& alive) { return cost(alive).params <= most; };
  const auto latency = [](const Alive&) { return 1.0; };
  for (int64_t stream = 1; stream <= 15; ++stream) {
    const Alive found = rounded_up(coupling_, with(stream, 5), score_, latency, allowed);
    EXPECT_LE(cost(found).params, most) << stream;
  }
  // 12 and 8 would be 2112 parameters, of 1830 allowed; 12 and 5 are 1464.
  EXPECT_EQ(rounded_up(coupling_, with(9, 5), score_, latency, allowed), [&] {
    Alive expected = with(9, 5);
    for (const int unit : {stream_[29], stream_[30], stream_[31]}) expected[unit] = true;
    return expected;
  }());
}

TEST_F(RoundingTest, NeverClosesAUnitNorWakesABranchThatLeft) {
  const auto latency = [](const Alive&) { return 1.0; };
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Alive alive = random_subset(coupling_, 0.1 + 0.04 * static_cast<double>(seed), seed);
    const Alive found = rounded_up(coupling_, alive, score_, latency, anything);
    for (size_t unit = 0; unit < alive.size(); ++unit) EXPECT_TRUE(found[unit] || !alive[unit]);
    EXPECT_EQ(inner(found), inner(alive) == 0 ? 0 : 16) << seed;
    EXPECT_EQ(stream(found) % 16, 0) << seed;
  }
  EXPECT_EQ(inner(rounded_up(coupling_, with(13, 0), score_, latency, anything)), 0);
}

/// conv1 (3 -> 24) -> conv2 in two groups (24 -> 24) -> fc
TEST(Rounding, KeepsEqualCounts) {
  test::Builder b(/*seed=*/1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 3, 24);
  b.conv("conv2", "conv1.out", 12, 24);
  b.graph.nodes.back().attributes["group"] = int64_t{2};
  b.add("GlobalAveragePool", "pool", {"conv2.out"});
  b.add("Flatten", "flat", {"pool.out"});
  b.graph.parameters["fc.weight"] = b.random({24, 5});
  b.add("Gemm", "fc", {"flat.out", "fc.weight"});
  b.graph.outputs = {{"fc.out", at::kFloat, {-1, 5}, {"batch", ""}}};
  const Coupling coupling = test::couple(b.graph);
  ASSERT_FALSE(coupling.equal_counts().empty());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const at::Tensor score = at::rand({coupling.size()}, at::detail::createCPUGenerator(seed),
                                      at::TensorOptions(at::kDouble));
    const Alive found = rounded_up(
        coupling, random_subset(coupling, 0.5, seed), score, [](const Alive&) { return 1.0; },
        [](const Alive&) { return true; });
    EXPECT_NO_THROW(check_subset(coupling, found, "rounded")) << seed;
  }
}

}  // namespace
}  // namespace crrm
