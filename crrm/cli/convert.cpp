// crrm convert IN OUT: a model in crrm's normal form, as ONNX of one opset. Weights alone need the
// architecture that they are of.
#include <iostream>

#include "crrm/architectures/architecture.h"
#include "crrm/architectures/weights.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/io/onnx.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Of one sample, as --shape says, or as the architecture is made for.
Shape sample_of(const Settings& settings) {
  const Shape sample = settings.shape.empty() ? find_architecture(settings.architecture).usual
                                              : parse_shape(settings.shape);
  if (sample.empty())
    throw InputError(
        {.file = "--shape",
         .expected = fmt::format("the shape of a sample, as {} reads any", settings.architecture),
         .found = "nothing"});
  return sample;
}

/// The weight of the last layer.
std::string last_weight(const Graph& graph) {
  const Weights weights = weights_of(graph);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node)
    if (node->inputs.size() > 1 && weights.contains(node->inputs[1])) return node->inputs[1];
  throw InternalError("a network without weights");
}

/// As many classes as the weight of the last layer has rows.
Graph build_from_weights(const Settings& settings) {
  if (settings.architecture.empty())
    throw InputError({.file = settings.input,
                      .place = "--architecture",
                      .expected = "the network that these weights are of",
                      .found = "nothing"});
  const Shape sample = sample_of(settings);
  const Weights weights = read_weights(settings.input);
  const auto last = weights.find(last_weight(build(settings.architecture, sample, 1, 0)));
  const bool counts = last != weights.end() && last->second.dim() > 0 && last->second.size(0) > 0;
  Graph graph = build(settings.architecture, sample, counts ? last->second.size(0) : 1, 0);
  set_weights(graph, weights, settings.input);
  return graph;
}

Graph read_input(const Settings& settings) {
  if (fs::path(settings.input).extension() == ".safetensors") return build_from_weights(settings);
  if (!settings.architecture.empty() || !settings.shape.empty())
    throw InputError({.file = settings.input,
                      .expected = "weights, which --architecture and --shape are for",
                      .found = "a file that does not end in .safetensors"});
  return read_onnx(settings.input);
}

int convert(Settings settings, const Invocation&) {
  if (same_file(settings.input, settings.target))
    throw InputError({.file = settings.target,
                      .expected = "an output that is not the input",
                      .found = settings.input});
  if (fs::exists(settings.target) && !settings.force)
    throw InputError({.file = settings.target,
                      .expected = "a file that is not there yet",
                      .found = "a file",
                      .hint = "--force replaces it"});
  write_onnx(read_input(settings), settings.target);
  if (!settings.json) return 0;
  const Json written = {{"path", settings.target},
                        {"opset", kOpset},
                        {"bytes", fs::file_size(settings.target)},
                        {"sha256", sha256_file(settings.target)}};
  std::cout << written.dump(2) << "\n";
  return 0;
}

const CommandRegistration registration({
    .name = "convert",
    .summary = fmt::format("Writes an ONNX model, or weights, as ONNX of opset {}", kOpset),
    .example = "crrm convert demo/digits.onnx digits21.onnx",
    .run = &convert,
});

}  // namespace

}  // namespace crrm::cli
