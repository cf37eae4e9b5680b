#include "crrm/coupling/index_map.h"

#include <gmock/gmock.h>

#include "tests/small_network.h"

namespace crrm {
namespace {

using testing::ElementsAre;

std::string formula_of(const IndexSets& sets) {
  const std::optional<Progression> progression = progression_of(sets);
  return progression ? formula(*progression) : "none";
}

TEST(Progression, IsReadOffItsSets) {
  EXPECT_EQ(formula_of({{0}, {1}, {2}}), "u");
  EXPECT_EQ(formula_of({{16}, {17}, {18}}), "u+16");
  EXPECT_EQ(formula_of({{4}, {6}, {8}}), "2u+4");
  EXPECT_EQ(formula_of({{63}, {62}, {61}}), "63-u");
  EXPECT_EQ(formula_of({{0, 1, 2}, {3, 4, 5}}), "3u..3u+2");
  EXPECT_EQ(formula_of({{0, 2, 4}, {1, 3, 5}}), "u+2r, r = 0..2");
  EXPECT_EQ(formula_of({{1, 3, 5}, {0, 2, 4}}), "1-u+2r, r = 0..2");
  EXPECT_EQ(formula_of({{0, 1, 6, 7}, {2, 3, 8, 9}, {4, 5, 10, 11}}), "2u+6r..2u+6r+1, r = 0..1");
  EXPECT_EQ(formula_of({{7}}), "7");
  EXPECT_EQ(formula_of({{7, 8, 9}}), "7..9");
}

TEST(Progression, IsNoneOfOtherSets) {
  EXPECT_FALSE(progression_of({{0}, {2}, {3}})) << "unequal steps";
  EXPECT_FALSE(progression_of({{0, 3}, {1, 2}})) << "no shifts of each other";
  EXPECT_FALSE(progression_of({{0, 1}, {2}})) << "of unequal size";
  EXPECT_FALSE(progression_of({{0, 1, 3}, {4, 5, 7}})) << "runs of unequal length";
  EXPECT_FALSE(progression_of({{0, 2, 5}})) << "runs at unequal distance";
}

// Whatever is read off sets gives the sets again, and whatever a progression gives is one.
TEST(Progression, GivesItsSetsAgain) {
  for (const int64_t step : {-3, 0, 1, 2, 7})
    for (const int64_t run : {1, 2, 3})
      for (const int64_t repeats : {1, 2, 3})
        for (const int64_t gap : {1, 2, 5}) {
          const Progression made{.first = 9,
                                 .step = step,
                                 .run = run,
                                 .repeats = repeats,
                                 .period = repeats > 1 ? run + gap : 0};
          IndexSets sets;
          for (int64_t u = 0; u < 4; ++u) sets.push_back(indices_of(made, u));
          EXPECT_EQ(progression_of(sets), made) << formula(made);
        }
}

TEST(Ranges, JoinNeighbours) {
  EXPECT_EQ(ranges({0, 3, 5, 6, 7}), "0, 3, 5..7");
  EXPECT_EQ(ranges({}), "");
}

/// x [N, 3, 3, 3] -> conv1 -> 4 channels, and what a test does with them.
class FourChannels {
 public:
  FourChannels() {
    builder_.graph.inputs = {{"x", at::kFloat, {-1, 3, 3, 3}, {"batch", "", "", ""}}};
    builder_.conv("conv1", "x", 3, 4);
    builder_.graph.nodes.back().attributes["pads"] = std::vector<int64_t>{1, 1, 1, 1};
  }
  FourChannels& add(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                    std::map<std::string, Attribute> attributes) {
    builder_.add(op, name, std::move(inputs));
    builder_.graph.nodes.back().attributes = std::move(attributes);
    return *this;
  }
  FourChannels& conv(const std::string& name, const std::string& from, int64_t in, int64_t out) {
    builder_.conv(name, from, in, out);
    return *this;
  }
  FourChannels& parameter(const std::string& name, at::Tensor tensor) {
    builder_.graph.parameters[name] = std::move(tensor);
    return *this;
  }
  /// A convolution in groups of 4 channels.
  FourChannels& grouped(const std::string& name, const std::string& from, int64_t groups) {
    parameter(name + ".weight", builder_.random({4, 4 / groups, 3, 3}));
    return add("Conv", name, {from, name + ".weight"},
               {{"group", groups}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  }
  /// Multiplies [N, features] by a matrix.
  FourChannels& fc(const std::string& from, int64_t features) {
    parameter("fc.weight", builder_.random({features, 5}));
    return add("Gemm", "fc", {from, "fc.weight"}, {});
  }
  Graph done() {
    const std::string last = builder_.graph.nodes.back().outputs[0];
    builder_.graph.outputs = {{last, at::kFloat, {-1, -1}, {"batch", ""}}};
    return builder_.graph;
  }

 private:
  test::Builder builder_{1};
};

Graph flattened() {
  return FourChannels().add("Flatten", "flat", {"conv1.out"}, {}).fc("flat.out", 36).done();
}

Graph flattened_channels_last() {
  return FourChannels()
      .add("Transpose", "move", {"conv1.out"}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}})
      .add("Flatten", "flat", {"move.out"}, {})
      .fc("flat.out", 36)
      .done();
}

Graph concatenated() {
  return FourChannels()
      .conv("conv2", "conv1.out", 4, 6)
      .add("Concat", "both", {"conv1.out", "conv2.out"}, {{"axis", int64_t{1}}})
      .conv("head", "both.out", 10, 2)
      .done();
}

Graph gathered(const std::vector<int64_t>& order) {
  return FourChannels()
      .parameter("order", at::tensor(order, at::kLong))
      .add("Gather", "pick", {"conv1.out", "order"}, {{"axis", int64_t{1}}})
      .conv("head", "pick.out", 4, 2)
      .done();
}

Graph in_groups() {
  return FourChannels().grouped("conv2", "conv1.out", 2).conv("head", "conv2.out", 4, 2).done();
}

Coupling couple(const Graph& graph) {
  return Coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
}

/// The indices of `member` that the units of `group` have.
IndexMap map_of(const Graph& graph, const std::string& group, const Member& member) {
  const Coupling coupling = couple(graph);
  for (const Group& candidate : coupling.groups()) {
    if (candidate.name != group) continue;
    const std::vector<IndexMap> maps = index_maps(coupling, candidate);
    for (size_t m = 0; m < maps.size(); ++m)
      if (candidate.members[m].parameter == member.parameter &&
          candidate.members[m].axis == member.axis)
        return maps[m];
  }
  ADD_FAILURE() << group << " has no such member";
  return {};
}

std::string formula_of(const IndexMap& map) {
  return map.progression ? formula(*map.progression) : "listed";
}

// A channel of 3 x 3 places is nine features in a row; with the channels last, every fourth one.
TEST(IndexMap, OfAFlattenedMap) {
  const IndexMap first = map_of(flattened(), "conv1.weight[0]", {"fc.weight", 0});
  EXPECT_EQ(formula_of(first), "9u..9u+8");
  EXPECT_EQ(first.extent, 36);
  EXPECT_EQ(first.taken, 36);
  EXPECT_EQ(formula_of(map_of(flattened(), "conv1.weight[0]", {"conv1.weight", 0})), "u");
  EXPECT_EQ(formula_of(map_of(flattened_channels_last(), "conv1.weight[0]", {"fc.weight", 0})),
            "u+4r, r = 0..8");
}

TEST(IndexMap, BehindAConcatenationIsShifted) {
  const IndexMap first = map_of(concatenated(), "conv1.weight[0]", {"head.weight", 1});
  const IndexMap second = map_of(concatenated(), "conv2.weight[0]", {"head.weight", 1});
  EXPECT_EQ(formula_of(first), "u");
  EXPECT_EQ(formula_of(second), "u+4");
  EXPECT_EQ(first.taken, 4);
  EXPECT_EQ(second.taken, 6);
  EXPECT_EQ(second.extent, 10);
}

TEST(IndexMap, OfGatheredChannels) {
  EXPECT_EQ(formula_of(map_of(gathered({3, 2, 1, 0}), "conv1.weight[0]", {"head.weight", 1})),
            "3-u");
  // Index j reads channel order[j]: channel 0 is read at j = 1.
  const IndexMap shuffled = map_of(gathered({2, 0, 3, 1}), "conv1.weight[0]", {"head.weight", 1});
  EXPECT_FALSE(shuffled.progression);
  EXPECT_THAT(shuffled.listed,
              ElementsAre(ElementsAre(1), ElementsAre(3), ElementsAre(0), ElementsAre(2)));
}

// The weight [4, 2, 3, 3] has two columns, which are channels 0 and 1 in the rows of the first
// block and 2 and 3 in those of the second.
TEST(IndexMap, OfAGroupedWeightCountsChannels) {
  const IndexMap columns = map_of(in_groups(), "conv1.weight[0]", {"conv2.weight", 1});
  EXPECT_EQ(columns.blocks, 2);
  EXPECT_EQ(columns.extent, 4);
  EXPECT_EQ(formula_of(columns), "u");
}

TEST(IndexMap, OfWhatStays) {
  const Graph graph = flattened();
  const Coupling coupling = couple(graph);
  for (const FrozenAxis& axis : coupling.frozen())
    if (axis.member.parameter == "fc.weight") {
      const IndexMap stays = index_map(coupling, axis);
      EXPECT_EQ(stays.taken, axis.stays);
      EXPECT_EQ(formula_of(stays), "0..4");
    }
}

/// What removing a unit takes from an axis, by the counting that surgery uses.
std::vector<int64_t> lost(const Coupling& coupling, int unit, const Member& member) {
  std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
  const auto indices = [&] {
    return coupling.kept(alive).at(member.parameter).at(static_cast<size_t>(member.axis)).indices;
  };
  const std::vector<int64_t> before = indices();
  alive[static_cast<size_t>(unit)] = false;
  const std::vector<int64_t> after = indices();
  std::vector<int64_t> result;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                      std::back_inserter(result));
  return result;
}

TEST(IndexMap, SaysWhatSurgeryTakes) {
  for (const Graph& graph : {flattened(), flattened_channels_last(), concatenated(),
                             gathered({2, 0, 3, 1}), in_groups(), test::small_network()}) {
    const Coupling coupling = couple(graph);
    for (const Group& group : coupling.groups()) {
      const std::vector<IndexMap> maps = index_maps(coupling, group);
      ASSERT_EQ(maps.size(), group.members.size());
      for (size_t m = 0; m < maps.size(); ++m)
        for (size_t u = 0; u < group.units.size(); ++u)
          EXPECT_EQ(maps[m].indices(static_cast<int64_t>(u)),
                    lost(coupling, group.units[u], group.members[m]))
              << group.name << ", " << group.members[m].parameter << ", unit " << u;
    }
  }
}

}  // namespace
}  // namespace crrm
