#include "crrm/activations/layers.h"

#include <fnmatch.h>

#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/graph/shapes.h"

namespace crrm {

namespace {

/// A value, and the node that writes it.
struct Candidate {
  std::string value, node, op;
};

std::vector<Candidate> candidates(const Graph& network) {
  std::vector<Candidate> all;
  for (const Port& input : network.inputs) all.push_back({input.name, "", "Input"});
  for (const Node& node : network.nodes)
    for (const std::string& output : node.outputs)
      if (!output.empty()) all.push_back({output, node.name, node.op});
  return all;
}

/// Shapes at two sizes of the batch: what follows the batch along its first axis, and only there.
class BatchShapes {
 public:
  BatchShapes(const Graph& network, const Shape& sample)
      : few_(infer_shapes(network, input_shapes(network, kFew, {sample}))),
        more_(infer_shapes(network, input_shapes(network, kMore, {sample}))) {}

  /// Of one sample; nothing where the value has no such axis.
  std::optional<Shape> sample(const std::string& value) const {
    if (!few_.knows(value) || !more_.knows(value)) return std::nullopt;
    const Shape& few = few_.at(value);
    const Shape& more = more_.at(value);
    if (few.empty() || few[0] != kFew || more[0] != kMore) return std::nullopt;
    if (!std::equal(few.begin() + 1, few.end(), more.begin() + 1, more.end())) return std::nullopt;
    return Shape(few.begin() + 1, few.end());
  }
  const ShapeTable& table() const { return few_; }

 private:
  static constexpr int64_t kFew = 11, kMore = 13;
  ShapeTable few_, more_;
};

Layer layer_of(const Candidate& candidate, const Shape& shape) {
  return {.name = candidate.value,
          .op = candidate.op,
          .shape = shape,
          .features = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>())};
}

bool is_contraction(const Graph& network, const Node& node, const ShapeTable& shapes) {
  const Operator* op = find_operator(node);
  if (op == nullptr) return false;
  NodeShapes known;
  for (const auto& [names, of] :
       {std::pair(&node.inputs, &known.inputs), std::pair(&node.outputs, &known.outputs)})
    for (const std::string& name : *names) {
      if (!name.empty() && !shapes.knows(name)) return false;
      of->push_back(name.empty() ? Shape{} : shapes.at(name));
    }
  return op->macs(node, known) > 0;
}

/// Inputs of the network, and what is an input in another shape.
std::unordered_set<std::string> values_of_inputs(const Graph& network) {
  std::unordered_set<std::string> same;
  for (const Port& input : network.inputs) same.insert(input.name);
  for (const Node& node : network.nodes) {
    const Operator* op = find_operator(node);
    if (op != nullptr && op->keeps_elements() && same.contains(node.inputs[0]))
      same.insert(node.outputs[0]);
  }
  return same;
}

/// Inputs and outputs of the network, and what its contractions read of data between them.
std::unordered_set<std::string> usual_values(const Graph& network, const ShapeTable& shapes) {
  std::unordered_set<std::string> usual;
  for (const Port& input : network.inputs) usual.insert(input.name);
  for (const Port& output : network.outputs) usual.insert(output.name);
  const std::unordered_set<std::string> of_inputs = values_of_inputs(network);
  for (const Node& node : network.nodes)
    if (is_contraction(network, node, shapes))
      for (const std::string& input : node.inputs)
        if (!network.is_parameter(input) && !of_inputs.contains(input)) usual.insert(input);
  return usual;
}

bool fits(const std::string& pattern, const Candidate& candidate) {
  return candidate.value == pattern || candidate.node == pattern ||
         fnmatch(pattern.c_str(), candidate.value.c_str(), 0) == 0 ||
         (!candidate.node.empty() && fnmatch(pattern.c_str(), candidate.node.c_str(), 0) == 0);
}

[[noreturn]] void refuse(const std::string& pattern, const std::vector<Candidate>& all) {
  std::vector<std::string> names;
  for (const Candidate& candidate : all) {
    names.push_back(candidate.value);
    if (!candidate.node.empty()) names.push_back(candidate.node);
  }
  const std::string near = nearest(pattern, names);
  throw InputError({.place = "--layers",
                    .expected = "names of values or nodes of the network, with * for any letters",
                    .found = fmt::format("\"{}\"", pattern),
                    .hint = near.empty() ? "--dry-run lists the layers that are measured by default"
                                         : fmt::format("did you mean {}?", near)});
}

}  // namespace

std::vector<Layer> usual_layers(const Graph& network, const Shape& sample) {
  const BatchShapes shapes(network, sample);
  const std::unordered_set<std::string> usual = usual_values(network, shapes.table());
  std::vector<Layer> layers;
  for (const Candidate& candidate : candidates(network))
    if (usual.contains(candidate.value))
      if (const std::optional<Shape> shape = shapes.sample(candidate.value))
        layers.push_back(layer_of(candidate, *shape));
  return layers;
}

std::vector<Layer> find_layers(const Graph& network, const Shape& sample,
                               const std::vector<std::string>& names) {
  const BatchShapes shapes(network, sample);
  const std::vector<Candidate> all = candidates(network);
  for (const std::string& name : names)
    if (std::none_of(all.begin(), all.end(), [&](const Candidate& c) { return fits(name, c); }))
      refuse(name, all);
  std::vector<Layer> layers;
  for (const Candidate& candidate : all) {
    const auto asked = std::find_if(names.begin(), names.end(),
                                    [&](const std::string& n) { return fits(n, candidate); });
    if (asked == names.end()) continue;
    const std::optional<Shape> shape = shapes.sample(candidate.value);
    if (shape)
      layers.push_back(layer_of(candidate, *shape));
    else if (*asked == candidate.value || *asked == candidate.node)
      throw InputError({.place = fmt::format("--layers, \"{}\"", *asked),
                        .expected = "a value whose first axis is the batch",
                        .found = "one that does not follow the batch"});
  }
  return layers;
}

}  // namespace crrm
