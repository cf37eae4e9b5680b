#include "crrm/measure/latency_model.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "crrm/base/error.h"
#include "crrm/coupling/coupling.h"
#include "crrm/graph/executor.h"
#include "crrm/graph/shapes.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::ordered_json;

/// Two residual blocks on a stream of `stream` channels, with `inner` channels inside each.
Graph two_blocks(int64_t stream, int64_t inner) {
  test::Builder b(/*seed=*/1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 3, stream);
  std::string x = "conv1.out";
  for (const char* block : {"a", "b"}) {
    const std::string name = block;
    b.conv(name + ".in", x, stream, inner);
    b.add("Relu", name + ".relu", {name + ".in.out"});
    b.conv(name + ".out", name + ".relu.out", inner, stream);
    b.add("Add", name + ".sum", {name + ".out.out", x});
    x = name + ".sum.out";
  }
  b.add("GlobalAveragePool", "pool", {x});
  b.add("Flatten", "flat", {"pool.out"});
  b.graph.parameters["fc.weight"] = b.random({stream, test::kClasses});
  b.graph.parameters["fc.bias"] = b.random({test::kClasses});
  b.add("Gemm", "fc", {"flat.out", "fc.weight", "fc.bias"});
  b.graph.outputs = {{"fc.out", at::kFloat, {-1, test::kClasses}, {"batch", ""}}};
  return b.graph;
}

Coupling couple(const Graph& graph) {
  return {graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch))};
}

// What a machine of 4 lanes would take: products, twice as many of them where the inputs leave a
// block part empty; 50 for anything else, and 7000 for the run.
double fake_time(const Graph& graph) {
  double time = 7000;
  for (const Node& node : graph.nodes) {
    if (node.op != "Conv" && node.op != "Gemm") {
      time += 50;
      continue;
    }
    const at::Tensor& weight = graph.parameters.at(node.inputs[1]);
    const int64_t inputs = weight.size(node.op == "Conv" ? 1 : 0);
    time += static_cast<double>(weight.numel()) * (inputs % 4 == 0 ? 1 : 2);
  }
  return time;
}

class FakeMachine {
 public:
  LatencyFit fit() {
    return {.setting = {.runtime = "fake", .threads = 2, .batch = 1},
            .time =
                [this](const Graph& graph, const Tensors& inputs, nanoseconds) {
                  timed.insert(graph.name);
                  runs += 1;
                  Executor(graph).run(inputs);  // a network that fits together
                  return fake_time(graph);
                },
            .say = [this](const std::string& line) { lines.push_back(line); }};
  }

  std::set<std::string> timed;  ///< names
  int runs = 0;
  std::vector<std::string> lines;
};

LatencyModel fit_two_blocks(FakeMachine& machine) {
  const Graph network = two_blocks(16, 8);
  return fit_latency(couple(network), {test::small_input(1)},
                     {network, two_blocks(8, 4), two_blocks(5, 3)}, machine.fit());
}

TEST(LatencyModel, PredictsNetworksThatWereNeverRun) {
  FakeMachine machine;
  const LatencyModel model = fit_two_blocks(machine);
  EXPECT_LT(model.residual(), 1e-9);
  for (int64_t stream = 1; stream <= 16; ++stream)
    for (int64_t inner = 1; inner <= 8; ++inner) {
      const Graph network = two_blocks(stream, inner);
      EXPECT_NEAR(model.nanoseconds(network) / fake_time(network), 1, 1e-9)
          << stream << " " << inner;
    }
}

TEST(LatencyModel, TimesEqualNodesOnce) {
  FakeMachine machine;
  fit_two_blocks(machine);
  EXPECT_THAT(machine.timed, testing::ElementsAre("", "a.in", "a.out", "conv1", "fc"));
  // Widths of 16: 16; 8; 4, 12; 1, 3, 15. Of 8: 8; 4; 1, 3, 7 (square root of 7: 3).
  constexpr int kSixteen = 7, kEight = 5, kRounds = 3, kNetworks = 3;
  constexpr int kPoints = kSixteen + 2 * kSixteen * kEight + kSixteen;
  EXPECT_EQ(machine.runs, kRounds * (2 * kPoints + kNetworks));
  EXPECT_THAT(machine.lines,
              testing::Contains("latency: round 2 of 3, operator 3 of 4: node \"a.out\" (Conv)"));
}

TEST(LatencyModel, NodesAddUpToTheNetwork) {
  FakeMachine machine;
  const LatencyModel model = fit_two_blocks(machine);
  const Graph network = two_blocks(12, 5);
  // The batch does not matter: this is the one of couplings.
  const ShapeTable table = infer_shapes(network, input_shapes(network, kCouplingBatch));
  double sum = 0;
  for (const Node& node : network.nodes) {
    NodeShapes shapes;
    for (const std::string& input : node.inputs) shapes.inputs.push_back(table.at(input));
    sum += model.nanoseconds(node, shapes);
    EXPECT_EQ(model(node, shapes), std::llround(model.nanoseconds(node, shapes)));
  }
  EXPECT_NEAR(sum, model.nanoseconds(network), 1e-6);
}

TEST(LatencyModel, SaysTheSameAfterJson) {
  FakeMachine machine;
  const LatencyModel model = fit_two_blocks(machine);
  const Json json = Json::parse(model.to_json().dump());
  const LatencyModel again = LatencyModel::from_json(json);
  EXPECT_EQ(again.to_json(), model.to_json());
  for (int64_t stream = 1; stream <= 16; ++stream)
    EXPECT_EQ(again.nanoseconds(two_blocks(stream, 3)), model.nanoseconds(two_blocks(stream, 3)));
}

/// What `work` refuses. @return the error block
std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

// One damage a field that is trusted: place, expected and found.
TEST(LatencyModel, RefusesADamagedFile) {
  FakeMachine machine;
  const Json json = fit_two_blocks(machine).to_json();
  struct Damage {
    const char* place;  ///< pointer
    Json value;
    std::vector<const char*> said;
  };
  for (const auto& [place, value, said] : std::vector<Damage>{
           {"/runtime", 3, {"runtime", "a text", "3"}},
           {"/threads", 0, {"threads", "a whole number in [1, 2147483647]", "0"}},
           {"/threads", 1.5, {"threads", "a whole number", "1.5"}},
           {"/batch", -1, {"batch", "-1"}},
           {"/batch", 18446744073709551615U, {"batch", "18446744073709551615"}},
           {"/scale", -1.0, {"scale", "a number >= 0", "-1.0"}},
           {"/scale", nullptr, {"scale", "a number >= 0", "null"}},
           {"/share_ns", "1", {"share_ns", "\"1\""}},
           {"/residual", -0.5, {"residual"}},
           {"/tables", 7, {"tables", "a list", "7"}},
           {"/tables/0", Json::array(), {"tables[0]", "an object", "a list of 0"}},
           {"/tables/1/widths/0", 4, {"tables[1].widths[0]", "a list", "4"}},
           {"/tables/1/widths/0/0", 0, {"tables[1].widths[0][0]", "in [1, ", "0"}},
           {"/tables/1/widths/0/0", 1000, {"tables[1]", "ascending widths", "1000"}},
           {"/tables/1/widths/0", Json::array(), {"tables[1]", "ascending widths"}},
           {"/tables/1/nanoseconds", {1, 2}, {"tables[1]", "times", "2"}},
           {"/tables/1/nanoseconds/3", -2, {"tables[1].nanoseconds[3]", "a number >= 0", "-2"}},
           {"/nodes", Json::array(), {"nodes", "an object"}},
           {"/nodes/fc/table", 99, {"nodes.fc.table", "one of 4 tables", "99"}},
           {"/nodes/fc/table", -1, {"nodes.fc.table", "-1"}},
           {"/nodes/fc/places", Json::array(), {"nodes.fc.places", "1", "0"}},
           {"/nodes/fc/places/0/input", -1, {"nodes.fc.places[0].input", "-1"}},
           {"/nodes/fc/places/0/axis", 0.5, {"nodes.fc.places[0].axis", "0.5"}},
           {"/nodes/fc/places/0/blocks", 0, {"nodes.fc.places[0].blocks", "0"}}}) {
    Json damaged = json;
    damaged[Json::json_pointer(place)] = value;
    const std::string text = refusal([&] { LatencyModel::from_json(damaged); });
    for (const char* part : said) EXPECT_THAT(text, testing::HasSubstr(part)) << place;
  }
  for (const auto& [key, value] : json.items()) {
    Json damaged = json;
    damaged.erase(key);
    EXPECT_THAT(refusal([&] { LatencyModel::from_json(damaged); }),
                testing::HasSubstr(fmt::format("a key \"{}\"", key)));
  }
}

// A sound file of another network: an input or an axis that the node does not have.
TEST(LatencyModel, RefusesANetworkThatItDoesNotFit) {
  FakeMachine machine;
  Json json = fit_two_blocks(machine).to_json();
  for (const char* key : {"input", "axis"}) {
    Json other = json;
    other["nodes"]["fc"]["places"][0][key] = 9;
    const LatencyModel model = LatencyModel::from_json(other);
    EXPECT_THAT(refusal([&] { model.nanoseconds(two_blocks(16, 8)); }),
                testing::HasSubstr("nodes.fc.places"))
        << key;
  }
}

// Alone, one network cannot tell what is by the node: all is by the operator.
TEST(LatencyModel, CalibratesOnOneNetworkByScaleAlone) {
  FakeMachine machine;
  LatencyModel model = fit_two_blocks(machine);
  const Graph network = two_blocks(16, 8);
  const double before = model.nanoseconds(network);
  model.calibrate({network}, {3 * before});
  EXPECT_NEAR(model.nanoseconds(network), 3 * before, 1e-6);
  EXPECT_LT(model.residual(), 1e-9);
  EXPECT_EQ(model.to_json()["share_ns"], 0);
}

// Networks that contradict each other: the residual says by how much. Least squares of relative
// errors for times of 1 and 2: scale (1 + 1/2) / (1 + 1/4) = 1.2, errors 0.2 and -0.4.
TEST(LatencyModel, ReportsWhatItCannotExplain) {
  FakeMachine machine;
  LatencyModel model = fit_two_blocks(machine);
  const Graph network = two_blocks(16, 8);
  model.calibrate({network}, {1000});
  model.calibrate({network, network}, {1000, 2000});
  EXPECT_NEAR(model.nanoseconds(network), 1200, 1e-6);
  EXPECT_NEAR(model.residual(), 0.4, 1e-9);
}

/// conv1 -> depthwise -> in two groups -> fc
Graph grouped(int64_t channels) {
  test::Builder b(/*seed=*/1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 3, channels);
  b.conv("depthwise", "conv1.out", 1, channels);
  b.graph.nodes.back().attributes["group"] = channels;
  b.conv("halves", "depthwise.out", channels / 2, 8);
  b.graph.nodes.back().attributes["group"] = int64_t{2};
  b.add("GlobalAveragePool", "pool", {"halves.out"});
  b.add("Flatten", "flat", {"pool.out"});
  b.graph.parameters["fc.weight"] = b.random({8, test::kClasses});
  b.add("Gemm", "fc", {"flat.out", "fc.weight"});
  b.graph.outputs = {{"fc.out", at::kFloat, {-1, test::kClasses}, {"batch", ""}}};
  return b.graph;
}

// The fake machine runs what it times: groups shrink with their channels, halves stay equal.
TEST(LatencyModel, NarrowsConvolutionsInGroups) {
  FakeMachine machine;
  const Graph network = grouped(12);
  const LatencyModel model = fit_latency(couple(network), {test::small_input(1)},
                                         {network, grouped(6), grouped(2)}, machine.fit());
  for (const int64_t channels : {2, 6, 12})
    EXPECT_NEAR(model.nanoseconds(grouped(channels)) / fake_time(grouped(channels)), 1, 1e-9)
        << channels;
}

// On the real machine, whatever else it does: a network of a width that was not measured.
TEST(LatencyModel, ComesNearARealNetwork) {
  const Graph network = two_blocks(32, 16), narrow = two_blocks(13, 7);
  LatencyFit fit = latency_fit(/*threads=*/1, /*batch=*/1);
  fit.budget = std::chrono::milliseconds(500);
  const Tensors inputs = {test::small_input(1)};
  const LatencyModel model = fit_latency(couple(network), inputs, {network, two_blocks(8, 4)}, fit);
  const double measured = fit.time(narrow, inputs, std::chrono::milliseconds(50));
  EXPECT_GT(model.nanoseconds(narrow), measured / 3);
  EXPECT_LT(model.nanoseconds(narrow), measured * 3);
}

}  // namespace
}  // namespace crrm
