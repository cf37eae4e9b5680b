#include "crrm/coupling/coupling.h"

#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// Why a node's labels cannot be coupled.
struct Obstacle {
  std::string reason;
  const Node* node;  ///< where it lies: the node itself, or one before it
};

/// By value without a shape: the node for which it has none.
using Origins = std::unordered_map<std::string, const Node*>;

std::optional<Obstacle> obstacle(const Node& node, const ShapeTable& shapes,
                                 const Origins& origins) {
  if (find_operator(node) == nullptr)
    return Obstacle{fmt::format("operator {} is unknown ({})", node.op, describe(node)), &node};
  for (const std::string& value : node.inputs)
    if (const auto found = shapes.unknown.find(value); found != shapes.unknown.end())
      return Obstacle{found->second, origins.at(value)};
  for (const std::string& value : node.outputs)
    if (const auto found = shapes.unknown.find(value); found != shapes.unknown.end())
      return Obstacle{found->second, &node};
  return std::nullopt;
}

void couple_node(const Node& node, const ShapeTable& shapes, Origins& origins, Labels& labels) {
  if (const std::optional<Obstacle> found = obstacle(node, shapes, origins)) {
    for (const std::string& value : node.outputs) origins[value] = found->node;
    labels.blame(found->node);
    return freeze_all(node, labels, found->reason);
  }
  labels.blame(&node);
  const Operator& op = get_operator(node);
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (op.shape_depends_on_value(i) && !node.inputs[i].empty())
      labels.freeze(node.inputs[i], "shape arithmetic");
  op.couple(node, labels);
}

std::vector<int64_t> all_indices(int64_t extent) {
  std::vector<int64_t> indices(static_cast<size_t>(extent));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

/// Whether input i is something to learn, of the node or of one in its branches, whose inputs are
/// the node's last ones.
bool learns(const Node& node, size_t i) {
  const Operator* op = find_operator(node);
  if (op == nullptr || op->learns(i)) return true;
  for (const Graph* branch : node.graphs()) {
    const size_t own = node.inputs.size() - branch->inputs.size();
    if (i < own) continue;
    const std::string& name = branch->inputs[i - own].name;
    for (const Node& inner : branch->nodes)
      for (size_t j = 0; j < inner.inputs.size(); ++j)
        if (inner.inputs[j] == name && learns(inner, j)) return true;
  }
  return false;
}

}  // namespace

bool is_width(const FrozenAxis& axis) {
  return axis.member.axis < 2 && axis.kind != Frozen::position;
}

Labels label_network(const Graph& graph, const ShapeTable& shapes) {
  Labels labels(graph, shapes);
  for (const Port& port : graph.inputs)
    labels.freeze(port.name, fmt::format("input of the network \"{}\"", port.name), Frozen::input);
  Origins origins;
  for (const Node& node : graph.nodes) couple_node(node, shapes, origins, labels);
  labels.blame(nullptr);
  for (const Port& port : graph.outputs)
    if (labels.knows(port.name))
      labels.freeze(port.name, fmt::format("output \"{}\" of the network", port.name));
  labels.resolve();
  return labels;
}

Coupling::Coupling(const Graph& graph, const ShapeTable& shapes)
    : graph_(graph), shapes_(shapes.shapes) {
  const Labels labels = label_network(graph, shapes);
  number_units(labels);
  collect_axes(labels);
  form_groups();
  list_frozen(labels);
  list_equal_counts(labels);
  list_readers(labels);
}

/// A free class with at least one index of a floating-point parameter is a unit; numbered in the
/// network's order.
void Coupling::number_units(const Labels& labels) {
  unit_of_.assign(labels.size(), kStays);
  int count = 0;
  for (const Node& node : graph_.nodes)
    for (const std::string& input : node.inputs) {
      const auto parameter = graph_.parameters.find(input);
      if (parameter == graph_.parameters.end() || !parameter->second.is_floating_point()) continue;
      for (int64_t a = 0; a < labels.rank(input); ++a) {
        const AxisLabels axis = labels.axis(input, a);
        for (int64_t i = 0; i < axis.extent; ++i) {
          int& unit = unit_of_[static_cast<size_t>(labels.find(axis[i]))];
          if (unit == kStays && !labels.frozen(axis[i])) unit = count++;
        }
      }
    }
  group_of_.assign(static_cast<size_t>(count), -1);
}

/// @param known  axes_, by content
AxisRef Coupling::reference(const Labels& labels, const AxisLabels& axis,
                            std::map<std::vector<int>, int>& known) {
  std::vector<int> units(static_cast<size_t>(axis.extent));
  for (int64_t i = 0; i < axis.extent; ++i)
    units[static_cast<size_t>(i)] = unit_of_[static_cast<size_t>(labels.find(axis[i]))];
  if (std::all_of(units.begin(), units.end(), [](int unit) { return unit == kStays; })) return {};
  const auto [entry, added] = known.try_emplace(std::move(units), static_cast<int>(axes_.size()));
  if (added) axes_.push_back(entry->first);
  return {entry->second, axis.blocks};
}

void Coupling::collect_axes(const Labels& labels) {
  std::map<std::vector<int>, int> known;
  const auto add = [&](const std::string& value) {
    if (value.empty() || !labels.knows(value) || axis_refs_.contains(value)) return;
    std::vector<AxisRef>& refs = axis_refs_[value];
    for (int64_t a = 0; a < labels.rank(value); ++a)
      refs.push_back(reference(labels, labels.axis(value, a), known));
  };
  for (const Port& port : graph_.inputs) add(port.name);
  for (const Node& node : graph_.nodes)
    for (const std::vector<std::string>* values : {&node.inputs, &node.outputs})
      for (const std::string& value : *values) add(value);
}

std::vector<std::vector<int>> Coupling::list_members(std::vector<Member>& members) const {
  std::vector<std::vector<int>> touching(group_of_.size());
  std::unordered_set<std::string> seen;
  for (const Node& node : graph_.nodes)
    for (const std::string& input : node.inputs) {
      if (!graph_.is_parameter(input) || !seen.insert(input).second) continue;
      const std::vector<AxisRef>& refs = axis_refs_.at(input);
      for (size_t a = 0; a < refs.size(); ++a) {
        if (refs[a].axis < 0) continue;
        const int member = static_cast<int>(members.size());
        members.push_back({input, static_cast<int64_t>(a)});
        for (const int unit : axes_[static_cast<size_t>(refs[a].axis)]) {
          if (unit == kStays) continue;
          std::vector<int>& own = touching[static_cast<size_t>(unit)];
          if (own.empty() || own.back() != member) own.push_back(member);
        }
      }
    }
  return touching;
}

void Coupling::form_groups() {
  std::vector<Member> members;
  const std::vector<std::vector<int>> touching = list_members(members);
  std::map<std::vector<int>, int> known;  // groups, by the members that they touch
  for (size_t unit = 0; unit < touching.size(); ++unit) {
    const auto [entry, added] = known.try_emplace(touching[unit], static_cast<int>(groups_.size()));
    if (added) {
      Group& group = groups_.emplace_back();
      for (const int member : entry->first)
        group.members.push_back(members[static_cast<size_t>(member)]);
      group.name = fmt::format("{}[{}]", group.members[0].parameter, group.members[0].axis);
    }
    groups_[static_cast<size_t>(entry->second)].units.push_back(static_cast<int>(unit));
    group_of_[unit] = entry->second;
  }
  std::map<std::string, int> used;  // two groups may begin at the same axis: name them apart
  for (Group& group : groups_)
    if (const int n = used[group.name]++; n > 0) group.name += fmt::format("#{}", n + 1);
}

void Coupling::list_frozen(const Labels& labels) {
  std::set<std::string> seen;
  for (const Node& node : graph_.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string& input = node.inputs[i];
      if (!graph_.is_parameter(input) || !learns(node, i)) continue;
      if (!seen.insert(input).second) continue;
      for (int64_t a = 0; a < labels.rank(input); ++a) {
        const AxisLabels axis = labels.axis(input, a);
        FrozenAxis entry{{input, a}, 0, "", Frozen::width, ""};
        for (int64_t index = 0; index < axis.extent; ++index) {
          if (!labels.frozen(axis[index])) continue;
          if (entry.stays++ > 0) continue;
          entry.reason = labels.reason(axis[index]);
          entry.kind = labels.kind(axis[index]);
          entry.node = labels.frozen_by(axis[index]);
        }
        if (entry.stays > 0) frozen_.push_back(std::move(entry));
      }
    }
  }
}

void Coupling::list_equal_counts(const Labels& labels) {
  std::map<std::vector<std::vector<int>>, size_t> known;
  for (const BalancedAxis& balanced : labels.balanced()) {
    const int64_t each = balanced.axis.extent / balanced.blocks;
    std::map<int, std::set<int64_t>> blocks_of;  // by unit
    for (int64_t i = 0; i < balanced.axis.extent; ++i)
      if (const int unit = unit_of_[static_cast<size_t>(labels.find(balanced.axis[i]))];
          unit != kStays)
        blocks_of[unit].insert(i / each);
    std::vector<std::vector<int>> blocks(static_cast<size_t>(balanced.blocks));
    for (const auto& [unit, in] : blocks_of)
      if (in.size() == 1) blocks[static_cast<size_t>(*in.begin())].push_back(unit);
    if (blocks[0].empty()) continue;
    const auto [entry, added] = known.try_emplace(std::move(blocks), equal_counts_.size());
    if (added) equal_counts_.push_back({entry->first, {}});
    std::vector<std::string>& nodes = equal_counts_[entry->second].nodes;
    if (nodes.empty() || nodes.back() != balanced.node) nodes.push_back(balanced.node);
  }
}

void Coupling::list_readers(const Labels& labels) {
  std::unordered_map<std::string, const Node*> nodes;
  for (const Node& node : graph_.nodes) nodes.emplace(node.name, &node);
  for (const Reader& reader : labels.readers()) {
    const Node& node = *nodes.at(reader.node);
    if (axis_of(node.inputs[reader.input], reader.axis).axis >= 0) readers_.push_back(reader);
  }
}

AxisRef Coupling::axis_of(const std::string& value, int64_t axis) const {
  const auto found = axis_refs_.find(value);
  return found == axis_refs_.end() ? AxisRef{} : found->second.at(static_cast<size_t>(axis));
}

Shrinkage::Kept Coupling::kept(const std::vector<bool>& alive) const {
  std::vector<std::vector<int64_t>> by_axis;
  for (const std::vector<int>& units : axes_) {
    std::vector<int64_t>& stays = by_axis.emplace_back();
    for (size_t i = 0; i < units.size(); ++i)
      if (units[i] == kStays || alive.at(static_cast<size_t>(units[i])))
        stays.push_back(static_cast<int64_t>(i));
  }
  Shrinkage::Kept result;
  for (const auto& [value, refs] : axis_refs_)
    if (std::any_of(refs.begin(), refs.end(), [](const AxisRef& ref) { return ref.axis >= 0; })) {
      std::vector<KeptAxis>& axes = result[value];
      for (size_t a = 0; a < refs.size(); ++a)
        axes.push_back(refs[a].axis < 0 ? KeptAxis{all_indices(shapes_.at(value)[a])}
                                        : KeptAxis{by_axis[refs[a].axis], refs[a].blocks});
    }
  return result;
}

}  // namespace crrm
