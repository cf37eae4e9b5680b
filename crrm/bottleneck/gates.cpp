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

}  // namespace

Graph insert_gates(const Graph& graph, const Coupling& coupling) {
  Graph gated = graph;
  gated.nodes.clear();
  gated.inputs.push_back({kGateInput, at::kFloat, {-1, coupling.size() + 1}, {"batch", ""}});
  std::multimap<std::string, const Reader*> by_node;
  for (const Reader& reader : coupling.readers()) by_node.emplace(reader.node, &reader);
  std::map<std::pair<std::string, int64_t>, std::string> gated_values;
  for (Node node : graph.nodes) {
    const auto [first, last] = by_node.equal_range(node.name);
    for (auto entry = first; entry != last; ++entry) {
      const Reader& reader = *entry->second;
      const std::string value = node.inputs[reader.input];
      std::string& name = gated_values[{value, reader.axis}];
      if (name.empty()) {
        name = fmt::format("{}.gated{}", value, reader.axis);
        const std::string units = name + ".units";
        gated.parameters[units] =
            columns(coupling.axes()[coupling.axis_of(value, reader.axis)], coupling.size());
        gated.nodes.push_back({.op = "Gate",
                               .name = name,
                               .domain = kGateDomain,
                               .inputs = {value, kGateInput, units},
                               .outputs = {name},
                               .attributes = {{"axis", reader.axis}}});
      }
      node.inputs[reader.input] = name;
    }
    gated.nodes.push_back(std::move(node));
  }
  return gated;
}

at::Tensor hard_gates(const std::vector<bool>& alive, at::ScalarType type) {
  std::vector<float> gates(alive.begin(), alive.end());
  gates.push_back(1);
  return at::tensor(gates, type).unsqueeze(0);
}

}  // namespace crrm
