#include "crrm/architectures/weights.h"

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/io/safetensors.h"

namespace crrm {

namespace {

constexpr std::string_view kDataParallel = "module.";
constexpr std::string_view kCounter = ".num_batches_tracked";

std::string describe(const at::Tensor& tensor) {
  return fmt::format("{} [{}]", c10::toString(tensor.scalar_type()),
                     fmt::join(tensor.sizes(), ", "));
}

[[noreturn]] void refuse(const std::string& file, const std::string& name,
                         const std::string& expected, const std::string& found,
                         const std::string& hint = "") {
  throw InputError({.file = file,
                    .place = fmt::format("tensor \"{}\"", name),
                    .expected = expected,
                    .found = found,
                    .hint = hint});
}

std::vector<std::string> names_of(const Weights& weights) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights) names.push_back(name);
  return names;
}

std::string hint_for(const std::string& name, const Weights& weights) {
  const std::string near = nearest(name, names_of(weights));
  return near.empty() ? "" : fmt::format("did you mean {}?", near);
}

bool learns(const Node& node, const Graph& graph) {
  const Operator* op = find_operator(node);
  if (op == nullptr) return false;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (op->learns(i) && graph.is_parameter(node.inputs[i])) return true;
  return false;
}

}  // namespace

Weights read_weights(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  const bool prefixed =
      std::all_of(file.tensors.begin(), file.tensors.end(),
                  [](const auto& entry) { return entry.first.starts_with(kDataParallel); });
  Weights weights;
  for (const auto& [name, tensor] : file.tensors)
    if (!name.ends_with(kCounter))
      weights[prefixed ? name.substr(kDataParallel.size()) : name] = tensor;
  return weights;
}

Weights weights_of(const Graph& graph) {
  Weights weights;
  for (const Node& node : graph.nodes) {
    if (!learns(node, graph)) continue;
    for (const std::string& input : node.inputs)
      if (const auto found = graph.parameters.find(input);
          found != graph.parameters.end() && found->second.is_floating_point())
        weights.insert(*found);
  }
  return weights;
}

void set_weights(Graph& graph, const Weights& weights, const std::string& file) {
  const Weights own = weights_of(graph);
  for (const auto& [name, tensor] : own) {
    const auto found = weights.find(name);
    if (found == weights.end())
      refuse(file, name, describe(tensor), "no such tensor", hint_for(name, weights));
    if (found->second.sizes() != tensor.sizes() || !found->second.is_floating_point())
      refuse(file, name, describe(tensor), describe(found->second));
    graph.parameters[name] = found->second.to(at::kFloat).clone();
  }
  for (const auto& [name, tensor] : weights)
    if (!own.contains(name))
      refuse(file, name, "a tensor of the network", describe(tensor), hint_for(name, own));
}

void write_weights(const Graph& graph, const std::filesystem::path& path) {
  TensorFile file;
  for (const auto& [name, tensor] : weights_of(graph))
    file.tensors[name] = tensor.detach().contiguous();
  file.metadata["format"] = "pt";  // that names and layouts are PyTorch's
  write_safetensors(file, path);
}

}  // namespace crrm
