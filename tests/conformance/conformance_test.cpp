// Every structural pattern in data/: for several sets of removed units the masked network, the cut
// one, the file read back and (where found) ONNX Runtime give the same output, and as many units
// can be removed as the pattern's definition says.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/coupling/subsets.h"
#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/surgery/cut.h"

namespace crrm {
namespace {

constexpr double kTolerance = 1e-5;  // of the conformance suite, relative to max(1, max |output|)

struct Pattern {
  std::string file, name;
  int units, least;
};

[[maybe_unused]] void PrintTo(const Pattern& pattern, std::ostream* out) {
  *out << pattern.name;
}

std::vector<Pattern> patterns() {
  const std::filesystem::path folder = CRRM_TEST_DATA;
  std::ifstream stream(folder / "patterns.json");
  std::vector<Pattern> result;
  for (const nlohmann::json& entry : nlohmann::json::parse(stream))
    for (const std::string file : entry.at("files"))
      result.push_back({(folder / file).string(), std::filesystem::path(file).stem().string(),
                        entry.at("units"), entry.at("least")});
  return result;
}

Tensors example(const Graph& graph, int64_t batch, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  Tensors inputs;
  for (const Port& port : graph.inputs) {
    Shape shape = port.shape;
    shape[0] = batch;
    inputs.push_back(at::isFloatingType(port.type)
                         ? at::randn(shape, generator, at::TensorOptions(port.type))
                         : at::randint(0, 20, shape, generator, at::TensorOptions(port.type)));
  }
  return inputs;
}

class Conformance : public ::testing::TestWithParam<Pattern> {};

TEST_P(Conformance, ShrinksExactly) {
  Graph graph = read_onnx(GetParam().file);
  fold_shape_arithmetic(graph);
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
  EXPECT_GE(coupling.size(), GetParam().least) << "over-cautious";
  RecordProperty("units", coupling.size());
  const Executor gated(to_type(insert_gates(graph, coupling), at::kDouble));
  for (const std::vector<bool>& alive : trial_subsets(coupling, 4, 3, 1)) {
    const Graph smaller = cut(graph, coupling, alive);
    const Executor small(to_type(smaller, at::kDouble));
    for (const int64_t batch : {2, 3}) {
      Tensors inputs = example(to_type(graph, at::kDouble), batch, 2);
      const Tensors found = small.run(inputs);
      inputs.push_back(hard_gates(alive, at::kDouble));
      EXPECT_LT(difference(gated.run(inputs), found).relative, kTolerance)
          << "masked against cut, batch " << batch << ", alive " << ::testing::PrintToString(alive);
    }
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      EXPECT_EQ(smaller.inputs[i].shape, graph.inputs[i].shape);
    for (size_t i = 0; i < graph.outputs.size(); ++i)
      EXPECT_EQ(smaller.outputs[i].name, graph.outputs[i].name);
  }
}

TEST_P(Conformance, ReadsBackAndRunsInOnnxRuntime) {
  Graph graph = read_onnx(GetParam().file);
  fold_shape_arithmetic(graph);
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("crrm_conformance_" + GetParam().name + ".onnx");
  for (const std::vector<bool>& alive : trial_subsets(coupling, 4, 3, 3)) {
    const Graph smaller = cut(graph, coupling, alive);
    const Tensors inputs = example(graph, 3, 4);
    const Tensors expected = Executor(smaller).run(inputs);
    write_onnx(smaller, file);
    EXPECT_LT(difference(expected, Executor(read_onnx(file)).run(inputs)).relative, kTolerance);
    if (OnnxRuntime::available()) {
      EXPECT_LT(difference(expected, OnnxRuntime::from_file(file, 1).run(inputs)).relative,
                kTolerance);
      write_onnx(mask(graph, coupling, alive), file);
      EXPECT_LT(difference(OnnxRuntime::from_file(file, 1).run(inputs), expected).relative,
                kTolerance)
          << "masked";
    }
    std::filesystem::remove(file);
  }
}

INSTANTIATE_TEST_SUITE_P(Patterns, Conformance, ::testing::ValuesIn(patterns()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace crrm
