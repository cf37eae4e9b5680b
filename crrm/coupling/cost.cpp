#include "crrm/coupling/cost.h"

#include <unordered_set>

#include "crrm/coupling/subsets.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// A single constant is a number of the formula, not a weight.
bool can_learn(const at::Tensor& parameter) {
  return parameter.is_floating_point() && parameter.dim() > 0;
}

/// By value that follows from parameters alone (a transposed weight, stacked gates): which ones.
using Origins = std::unordered_map<std::string, std::vector<std::string>>;

void trace(const Node& node, Origins& origins) {
  std::vector<std::string> from;
  for (const std::string& input : node.inputs) {
    if (input.empty()) continue;
    const auto found = origins.find(input);
    if (found == origins.end()) return;
    from.insert(from.end(), found->second.begin(), found->second.end());
  }
  for (const std::string& output : node.outputs) origins[output] = from;
}

/// Samples in the shapes that a coupling was made of: a file may be made for one.
int64_t batch_of(const Graph& graph, const Coupling& coupling) {
  if (graph.inputs.empty()) return 1;
  const Shape& shape = coupling.shapes().at(graph.inputs[0].name);
  return shape.empty() ? 1 : std::max<int64_t>(shape[0], 1);
}

}  // namespace

std::vector<std::string> learned_parameters(const Graph& graph) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  Origins origins;
  for (const auto& [name, tensor] : graph.parameters)
    origins[name] = can_learn(tensor) ? std::vector<std::string>{name} : std::vector<std::string>{};
  for (const Node& node : graph.nodes) {
    trace(node, origins);
    const Operator* op = find_operator(node);
    if (op == nullptr) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto found = origins.find(node.inputs[i]);
      if (found == origins.end() || !op->learns(i)) continue;
      for (const std::string& name : found->second)
        if (seen.insert(name).second) names.push_back(name);
    }
  }
  return names;
}

std::map<std::string, at::Tensor> learned_tensors(const Graph& graph) {
  std::map<std::string, at::Tensor> tensors;
  for (const std::string& name : learned_parameters(graph))
    tensors[name] = graph.parameters.at(name);
  return tensors;
}

CostModel::CostModel(const Graph& graph, const Coupling& coupling, Pricing pricing)
    : coupling_(coupling),
      batch_(batch_of(graph, coupling)),
      nodes_(graph.nodes),
      removal_(graph, coupling),
      pricing_(std::move(pricing)) {
  for (size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    const Operator* op = find_operator(node);
    const bool known = std::all_of(
        node.outputs.begin(), node.outputs.end(),
        [&](const std::string& v) { return v.empty() || coupling.shapes().contains(v); });
    if (op == nullptr || !known) continue;
    Priced priced{n, &node, op, {}, {}};
    for (const std::string& value : node.inputs) priced.inputs.push_back(extents(value));
    for (const std::string& value : node.outputs) priced.outputs.push_back(extents(value));
    // Nodes that cost nothing need not be asked again.
    const NodeShapes shapes = shapes_of(priced, extents_of_axes());
    if (op->macs(node, shapes) > 0 ||
        (pricing_.nanoseconds && pricing_.nanoseconds(node, shapes) > 0))
      priced_.push_back(std::move(priced));
  }
  const auto read = readers(graph);
  const std::vector<std::string> learned = learned_parameters(graph);
  for (const auto& [name, tensor] : graph.parameters) {
    const auto found = read.find(name);
    if (!tensor.is_floating_point() || found == read.end()) continue;
    stored_.push_back({extents(name), found->second,
                       std::find(learned.begin(), learned.end(), name) != learned.end(),
                       pricing_.unstored.contains(name) ? 0 : tensor.element_size()});
  }
}

CostModel::Extents CostModel::extents(const std::string& value) const {
  Extents result;
  const auto found = coupling_.shapes().find(value);
  if (found == coupling_.shapes().end()) return result;
  for (size_t a = 0; a < found->second.size(); ++a)
    result.push_back({coupling_.axis_of(value, static_cast<int64_t>(a)), found->second[a]});
  return result;
}

std::vector<int64_t> CostModel::extents_of_axes() const {
  std::vector<int64_t> extents;
  for (const std::vector<int>& units : coupling_.axes())
    extents.push_back(static_cast<int64_t>(units.size()));
  return extents;
}

Shape CostModel::shape_of(const Extents& extents, const std::vector<int64_t>& living) {
  Shape shape;
  for (const Extent& e : extents)
    shape.push_back(e.ref.axis < 0 ? e.fixed : living[e.ref.axis] / e.ref.blocks);
  return shape;
}

NodeShapes CostModel::shapes_of(const Priced& node, const std::vector<int64_t>& living) {
  NodeShapes shapes;
  for (const Extents& e : node.inputs) shapes.inputs.push_back(shape_of(e, living));
  for (const Extents& e : node.outputs) shapes.outputs.push_back(shape_of(e, living));
  return shapes;
}

Cost CostModel::operator()(const std::vector<bool>& alive) const {
  std::vector<int64_t> living;  // of each axis
  for (const std::vector<int>& units : coupling_.axes())
    living.push_back(std::count_if(units.begin(), units.end(), [&](int unit) {
      return unit == Coupling::kStays || alive[static_cast<size_t>(unit)];
    }));
  const std::vector<Fate> fates = removal_(alive).fates;
  const auto stays = [&](size_t node) { return fates[node] == Fate::stays; };
  Cost total{.macs = 0, .params = 0, .bytes = pricing_.overhead_bytes, .nanoseconds = 0};
  for (const Priced& p : priced_) {
    if (!stays(p.index)) continue;
    const NodeShapes shapes = shapes_of(p, living);
    total.macs += p.op->macs(*p.node, shapes);
    if (pricing_.nanoseconds) total.nanoseconds += pricing_.nanoseconds(*p.node, shapes);
  }
  total.macs /= batch_;
  for (const Stored& parameter : stored_) {
    if (std::none_of(parameter.readers.begin(), parameter.readers.end(), stays)) continue;
    const int64_t count = elements(shape_of(parameter.extents, living));
    if (parameter.learned) total.params += count;
    total.bytes += count * parameter.bytes;
  }
  return total;
}

std::vector<Cost> unit_costs(const Coupling& coupling, const CostModel& cost,
                             const std::vector<bool>& alive) {
  // By group: what would go, living where something lives. Units of a group touch the same axes.
  std::vector<std::vector<int>> probes(coupling.groups().size());
  for (const std::vector<int>& units : closures(coupling, {alive.begin(), alive.end()}))
    for (const int unit : units) {
      std::vector<int>& chosen = probes[static_cast<size_t>(coupling.group_of(unit))];
      if (chosen.empty() || !alive[static_cast<size_t>(chosen.front())]) chosen = units;
    }
  const Cost whole = cost(alive);
  std::vector<Cost> costs;
  for (const std::vector<int>& units : probes) {
    std::vector<bool> changed = alive;
    for (const int unit : units) changed[static_cast<size_t>(unit)].flip();
    const Cost other = cost(changed);
    const int64_t count = static_cast<int64_t>(units.size());
    costs.push_back({.macs = std::abs(whole.macs - other.macs) / count,
                     .params = std::abs(whole.params - other.params) / count,
                     .bytes = std::abs(whole.bytes - other.bytes) / count,
                     .nanoseconds = std::abs(whole.nanoseconds - other.nanoseconds) / count});
  }
  return costs;
}

Cost cost(const Graph& graph, const std::vector<Shape>& sample) {
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch, sample)));
  return CostModel(graph, coupling)(std::vector<bool>(static_cast<size_t>(coupling.size()), true));
}

}  // namespace crrm
