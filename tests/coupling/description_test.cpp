#include "crrm/coupling/description.h"

#include <gmock/gmock.h>

#include "tests/small_network.h"

namespace crrm {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Coupling couple(const Graph& graph) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
}

// The stream's 6 channels are read by conv2 and, averaged and flattened, by fc; the inner 4 by
// conv3. An inner channel is 6 x 9 weights in and out, and two numbers of the normalisation.
TEST(Description, NamesReadersAndCosts) {
  const Graph graph = test::small_network();
  const Coupling coupling = couple(graph);
  const std::vector<GroupDescription> groups = describe(graph, coupling);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].readings, UnorderedElementsAre(FieldsAre("conv2", "relu1.out", 1, false),
                                                       FieldsAre("fc", "flat.out", 1, false)));
  EXPECT_THAT(groups[1].readings, ElementsAre(FieldsAre("conv3", "relu2.out", 1, false)));
  EXPECT_EQ(groups[1].unit_cost.params, 2 * 6 * 9 + 2);
  EXPECT_EQ(groups[1].unit_cost.macs, 2 * 6 * 9 * 64);
  EXPECT_THAT(groups[1].constraints, IsEmpty());
}

/// x -> conv1 -> 8 channels -> conv2 in 4 groups -> 12 -> conv3
Graph in_groups() {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 3, 6, 6}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 3, 8);
  b.graph.parameters["conv2.weight"] = b.random({12, 2, 3, 3});
  b.add("Conv", "conv2", {"conv1.out", "conv2.weight"});
  b.graph.nodes.back().attributes = {{"group", int64_t{4}}};
  b.conv("conv3", "conv2.out", 12, 5);
  b.graph.outputs = {{"conv3.out", at::kFloat, {-1, 5, 4, 4}, {"batch", "", "", ""}}};
  return b.graph;
}

TEST(Description, NamesWhoAsksForEqualCounts) {
  const Graph graph = in_groups();
  const Coupling coupling = couple(graph);
  const std::vector<GroupDescription> groups = describe(graph, coupling);
  ASSERT_EQ(groups.size(), 2u);
  for (const GroupDescription& group : groups) {
    ASSERT_EQ(group.constraints.size(), 1u) << group.group->name;
    EXPECT_THAT(group.constraints[0].nodes, ElementsAre("conv2"));
    EXPECT_THAT(group.constraints[0].others, IsEmpty());
  }
  const auto blocks_of = [&](size_t group) {
    return formula(progression_of(groups[group].constraints[0].blocks).value(), "b");
  };
  EXPECT_EQ(blocks_of(0), "2b..2b+1");
  EXPECT_EQ(blocks_of(1), "3b..3b+2");
}

}  // namespace
}  // namespace crrm
