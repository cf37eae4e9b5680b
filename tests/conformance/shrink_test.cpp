// An operator between two 1x1 convolutions: as many units as its rule promises, and for several
// sets of them the cut network gives what the masked one does.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "crrm/bottleneck/gates.h"
#include "crrm/coupling/coupling.h"
#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"

namespace crrm {
namespace {

using Ints = std::vector<int64_t>;

struct Between {
  std::string name;
  Node node;                          ///< reads "a" [2, 8, 4, 4], writes "b"
  std::vector<at::Tensor> constants;  ///< "c0", "c1", ...
  int64_t channels;                   ///< of "b"
  int units;
};

void PrintTo(const Between& test, std::ostream* out) {
  *out << test.name;
}

at::Tensor random(Shape shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble));
}
at::Tensor ints(Ints values) {
  return at::tensor(values, at::kLong);
}

std::vector<Between> cases() {
  std::vector<Between> list;
  const auto add = [&](std::string name, std::string op, std::vector<std::string> inputs,
                       std::vector<at::Tensor> constants, std::map<std::string, Attribute> a,
                       int64_t channels, int units) {
    list.push_back({std::move(name),
                    {.op = std::move(op),
                     .name = "node",
                     .domain = "",
                     .inputs = std::move(inputs),
                     .outputs = {"b"},
                     .attributes = std::move(a)},
                    std::move(constants),
                    channels,
                    units});
  };
  const std::string linear = "linear";
  add("ResizeByAllSizes", "Resize", {"a", "", "", "c0"}, {ints({2, 8, 6, 9})}, {{"mode", linear}},
      8, 8);
  add("ResizeThatKeepsSizes", "Resize", {"a", "", "", "c0"}, {ints({2, 8, 4, 4})},
      {{"mode", linear}}, 8, 8);
  add("ResizeOfChannels", "Resize", {"a", "", "", "c0"}, {ints({2, 6, 4, 4})}, {{"mode", linear}},
      6, 0);
  add("DepthToSpace", "DepthToSpace", {"a"}, {}, {{"blocksize", int64_t{2}}}, 2, 2);
  add("SpaceToDepth", "SpaceToDepth", {"a"}, {}, {{"blocksize", int64_t{2}}}, 32, 8);
  add("Tile", "Tile", {"a", "c0"}, {ints({1, 3, 1, 2})}, {}, 24, 8);
  add("TileOfOneIndex", "Tile", {"c1", "c0"}, {ints({2, 5, 4, 4}), random({1, 1, 1, 1}, 7)}, {}, 5,
      5);
  add("Compress", "Compress", {"a", "c0"}, {ints({1, 0, 1, 1, 0, 1}).to(at::kBool)},
      {{"axis", int64_t{1}}}, 4, 8);
  add("GroupNormalization", "GroupNormalization", {"a", "c0", "c1"},
      {random({8}, 7), random({8}, 8)}, {{"num_groups", int64_t{4}}}, 8, 4);
  add("LRN", "LRN", {"a"}, {}, {{"size", int64_t{3}}}, 8, 0);
  add("LpNormalization", "LpNormalization", {"a"}, {}, {{"axis", int64_t{2}}}, 8, 8);
  add("MeanVarianceNormalization", "MeanVarianceNormalization", {"a"}, {}, {}, 8, 8);
  add("GatherElements", "GatherElements", {"a", "c0"}, {ints({1, 3, 0}).expand({2, 8, 4, 3})},
      {{"axis", int64_t{3}}}, 8, 8);
  add("GatherElementsOfFirst", "GatherElements", {"a", "c0"},
      {ints({1, 3, 0}).expand({2, 5, 4, 3})}, {{"axis", int64_t{3}}}, 5, 8);
  add("GatherND", "GatherND", {"a", "c0"}, {ints({1, 0}).unsqueeze(1)}, {}, 8, 8);
  add("ScatterElements", "ScatterElements", {"a", "c0", "c1"},
      {ints({3, 1}).expand({2, 8, 4, 2}), random({2, 8, 4, 2}, 7)},
      {{"axis", int64_t{3}}, {"reduction", std::string("add")}}, 8, 8);
  add("ScatterElementsOfFirst", "ScatterElements", {"a", "c0", "c1"},
      {ints({3, 1}).expand({2, 3, 4, 2}), random({2, 3, 4, 2}, 7)}, {{"axis", int64_t{3}}}, 8, 8);
  add("ScatterND", "ScatterND", {"a", "c0", "c1"},
      {ints({1}).unsqueeze(1), random({1, 8, 4, 4}, 7)}, {}, 8, 8);
  add("TopK", "TopK", {"a", "c0"}, {ints({2})}, {{"axis", int64_t{2}}}, 8, 8);
  add("MaxUnpool", "MaxUnpool", {"a", "c0"}, {at::arange(256).view({2, 8, 4, 4})},
      {{"kernel_shape", Ints{1, 1}}}, 8, 0);
  return list;
}

Node convolution(const std::string& name, const std::string& from, const std::string& to) {
  return {.op = "Conv",
          .name = name,
          .domain = "",
          .inputs = {from, name + ".weight", name + ".bias"},
          .outputs = {to},
          .attributes = {}};
}

Graph network(const Between& test) {
  Graph graph;
  graph.inputs = {{"x", at::kDouble, {2, 3, 4, 4}, {"", "", "", ""}}};
  graph.parameters = {{"first.weight", random({8, 3, 1, 1}, 1)},
                      {"first.bias", random({8}, 2)},
                      {"second.weight", random({5, test.channels, 1, 1}, 3)},
                      {"second.bias", random({5}, 4)}};
  for (size_t i = 0; i < test.constants.size(); ++i)
    graph.parameters[fmt::format("c{}", i)] = test.constants[i].contiguous();
  graph.nodes = {convolution("first", "x", "a"), test.node, convolution("second", "b", "y")};
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, 2));
  graph.outputs = {{"y", at::kDouble, shapes.at("y"), {"", "", "", ""}}};
  drop_unread(graph);
  return graph;
}

class Shrink : public ::testing::TestWithParam<Between> {};

TEST_P(Shrink, CutIsMasked) {
  const Graph graph = network(GetParam());
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, 2)));
  ASSERT_EQ(coupling.size(), GetParam().units);
  const Executor gated(to_type(insert_gates(graph, coupling), at::kDouble));
  const at::Tensor x = random({2, 3, 4, 4}, 5);
  const size_t units = static_cast<size_t>(coupling.size());
  for (size_t period = 1; period <= std::max<size_t>(units, 1); ++period) {
    std::vector<bool> alive(units);
    for (size_t u = 0; u < units; ++u) alive[u] = u % period == 0;
    const Tensors cut_result = Executor(cut(graph, coupling, alive)).run({x});
    const Tensors masked = gated.run({x, hard_gates(alive, at::kDouble)});
    EXPECT_LT(difference(masked, cut_result).relative, 1e-12) << "every " << period << "th stays";
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, Shrink, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace crrm
