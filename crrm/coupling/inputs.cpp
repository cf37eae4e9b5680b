#include "crrm/coupling/inputs.h"

#include <map>

#include "crrm/coupling/coupling.h"

namespace crrm {

void gate_inputs(Graph& graph, const std::vector<Shape>& sample) {
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, kCouplingBatch, sample));
  const Labels labels = label_network(graph, shapes);
  std::multimap<std::string, Reader> wanted;  // by node
  for (const Reader& reader : labels.readers()) {
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == reader.node; });
    const AxisLabels axis = labels.axis(node->inputs[reader.input], reader.axis);
    if (!reader.inside && labels.frozen(axis) && labels.kind(axis[0]) == Frozen::input)
      wanted.emplace(reader.node, reader);
  }
  std::vector<Node> nodes;
  std::map<std::pair<std::string, int64_t>, std::string> gathered;
  for (Node node : graph.nodes) {
    const auto [first, last] = wanted.equal_range(node.name);
    for (auto entry = first; entry != last; ++entry) {
      const size_t input = entry->second.input;
      const int64_t axis = entry->second.axis;
      const std::string value = node.inputs[input];
      std::string& picked = gathered[{value, axis}];
      if (picked.empty()) {
        picked = graph.fresh_name(value + ".picked");
        const std::string indices = graph.fresh_name(picked + ".indices");
        graph.parameters[indices] = at::arange(labels.extent(value, axis), at::kLong);
        nodes.push_back({.op = "Gather",
                         .name = picked,
                         .domain = "",
                         .inputs = {value, indices},
                         .outputs = {picked},
                         .attributes = {{"axis", axis}}});
      }
      node.inputs[input] = picked;
    }
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
}

void drop_idle_gathers(Graph& graph, const std::vector<Shape>& sample) {
  const ShapeTable shapes = infer_shapes(graph, input_shapes(graph, kCouplingBatch, sample));
  std::map<std::string, std::string> source;
  std::vector<Node> nodes;
  for (Node node : graph.nodes) {
    for (std::string& input : node.inputs)
      if (const auto found = source.find(input); found != source.end()) input = found->second;
    const auto indices = node.op == "Gather" && node.inputs.size() == 2
                             ? graph.parameters.find(node.inputs[1])
                             : graph.parameters.end();
    const bool idle =
        indices != graph.parameters.end() && indices->second.dim() == 1 &&
        shapes.knows(node.inputs[0]) &&
        at::equal(
            indices->second.to(at::kLong),
            at::arange(shapes.at(node.inputs[0])[static_cast<size_t>(node.integer("axis", 0))],
                       at::kLong));
    const bool is_output =
        std::any_of(graph.outputs.begin(), graph.outputs.end(),
                    [&](const Port& port) { return port.name == node.outputs[0]; });
    if (idle && !is_output)
      source[node.outputs[0]] = node.inputs[0];
    else
      nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  drop_unread(graph);
}

}  // namespace crrm
