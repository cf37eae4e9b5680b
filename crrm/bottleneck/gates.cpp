#include "crrm/bottleneck/gates.h"

#include <map>
#include <set>

namespace crrm {

namespace {

/// Columns of the gates' values along an axis: the unit, or the column of ones.
at::Tensor columns(const std::vector<int>& units, int size) {
  std::vector<int64_t> result;
  for (const int unit : units) result.push_back(unit == Coupling::kStays ? size : unit);
  return at::tensor(result, at::kLong);
}

/// The axis of each value that follows the batch; values without one are missing.
std::map<std::string, int64_t> sample_axes(const Graph& graph, const Coupling& coupling) {
  std::vector<Shape> inputs;
  for (const Port& port : graph.inputs) {
    Shape& shape = inputs.emplace_back(coupling.shapes().at(port.name));
    if (!port.shape.empty() && port.shape[0] < 0) ++shape[0];  // another batch than coupling's
  }
  std::map<std::string, int64_t> axes;
  for (const auto& [value, shape] : infer_shapes(graph, inputs).shapes) {
    const auto known = coupling.shapes().find(value);  // else: a constant that surgery made
    if (known == coupling.shapes().end()) continue;
    const Shape& before = known->second;
    const auto differs = std::mismatch(shape.begin(), shape.end(), before.begin(), before.end());
    if (differs.first != shape.end()) axes[value] = differs.first - shape.begin();
  }
  return axes;
}

/// The node that gates `value`, which is `original` or already gated along another axis of it.
Node gate_before(const Reader& reader, const std::string& value, const std::string& original,
                 const std::map<std::string, int64_t>& samples) {
  const std::string name =
      fmt::format("{}.{}{}", value, reader.inside ? "state_gated" : "gated", reader.axis);
  Node gate{.op = reader.inside ? "StateGate" : "Gate",
            .name = name,
            .domain = kGateDomain,
            .inputs = {value, kGateInput, name + ".units"},
            .outputs = {name},
            .attributes = {{"axis", reader.axis}}};
  if (reader.inside) return gate;
  if (const auto found = samples.find(original); found != samples.end())
    gate.attributes["sample"] = found->second;
  return gate;
}

}  // namespace

Graph insert_gates(const Graph& graph, const Coupling& coupling) {
  Graph gated = graph;
  gated.nodes.clear();
  gated.inputs.push_back({kGateInput, at::kFloat, {-1, coupling.size() + 1}, {"batch", ""}});
  const std::map<std::string, int64_t> samples = sample_axes(graph, coupling);
  std::multimap<std::string, const Reader*> by_node;
  for (const Reader& reader : coupling.readers()) by_node.emplace(reader.node, &reader);
  std::set<std::string> present;  // gates, by name
  for (const Node& original : graph.nodes) {
    Node node = original;
    const auto [first, last] = by_node.equal_range(node.name);
    for (auto entry = first; entry != last; ++entry) {
      const Reader& reader = *entry->second;
      const std::string& value = original.inputs[reader.input];
      Node gate = gate_before(reader, node.inputs[reader.input], value, samples);
      node.inputs[reader.input] = gate.name;
      if (!present.insert(gate.name).second) continue;
      gated.parameters[gate.inputs[2]] =
          columns(coupling.axes()[coupling.axis_of(value, reader.axis).axis], coupling.size());
      gated.nodes.push_back(std::move(gate));
    }
    gated.nodes.push_back(std::move(node));
  }
  return gated;
}

Graph mask(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive) {
  const at::Tensor z = hard_gates(alive)[0];
  Graph masked = insert_gates(graph, coupling);
  masked.inputs.pop_back();
  std::map<std::string, size_t> ranks;  // of gated values
  for (Node& node : masked.nodes) {
    if (node.domain != kGateDomain) continue;
    const std::string& value = node.inputs[0];
    const int64_t axis =
        node.integer("axis");  // of a state: the columns of the weight that reads it
    const auto known = coupling.shapes().find(value);  // else: gated already along another axis
    const size_t rank = known == coupling.shapes().end() ? ranks.at(value) : known->second.size();
    ranks[node.outputs[0]] = rank;
    Shape shape(rank, 1);
    shape[static_cast<size_t>(axis)] = -1;
    const std::string factor = node.name + ".factor";
    masked.parameters[factor] = z.index_select(0, masked.parameters.at(node.inputs[2])).view(shape);
    node = {.op = "Mul",
            .name = node.name,
            .domain = "",
            .inputs = {value, factor},
            .outputs = node.outputs,
            .attributes = {}};
  }
  drop_unread(masked);
  return masked;
}

at::Tensor hard_gates(const std::vector<bool>& alive, at::ScalarType type) {
  std::vector<float> gates(alive.begin(), alive.end());
  gates.push_back(1);
  return at::tensor(gates, type).unsqueeze(0);
}

}  // namespace crrm
