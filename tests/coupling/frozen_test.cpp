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

}  // namespace
}  // namespace crrm
