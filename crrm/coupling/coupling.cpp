#include "crrm/coupling/coupling.h"

#include <map>
#include <numeric>
#include <set>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// The reason why a node's labels cannot be coupled, or "".
std::string obstacle(const Node& node, const ShapeTable& shapes) {
  if (find_operator(node) == nullptr)
    return fmt::format("operator {} is unknown ({})", node.op, describe(node));
  for (const std::vector<std::string>& values : {node.inputs, node.outputs})
    for (const std::string& value : values)
      if (const auto found = shapes.unknown.find(value); found != shapes.unknown.end())
        return found->second;
  return "";
}

void couple_node(const Node& node, const ShapeTable& shapes, Labels& labels) {
  if (const std::string reason = obstacle(node, shapes); !reason.empty())
    return freeze_all(node, labels, reason);
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

}  // namespace

Labels label_network(const Graph& graph, const ShapeTable& shapes) {
  Labels labels(graph, shapes);
  for (const Port& port : graph.inputs)
    labels.freeze(port.name, fmt::format("{} \"{}\"", kInputReason, port.name));
  for (const Node& node : graph.nodes) couple_node(node, shapes, labels);
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
  for (const Reader& reader : labels.readers()) {
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == reader.node; });
    if (axis_of(node->inputs[reader.input], reader.axis) >= 0) readers_.push_back(reader);
  }
}

/// A free class with at least one index of a floating-point parameter is a unit; numbered in the
/// network's order.
void Coupling::number_units(const Labels& labels) {
  int count = 0;
  for (const Node& node : graph_.nodes)
    for (const std::string& input : node.inputs) {
      const auto parameter = graph_.parameters.find(input);
      if (parameter == graph_.parameters.end() || !parameter->second.is_floating_point()) continue;
      for (int64_t a = 0; a < labels.rank(input); ++a) {
        const AxisLabels axis = labels.axis(input, a);
        for (int64_t i = 0; i < axis.extent; ++i)
          if (!labels.frozen(axis[i]) && unit_of_.try_emplace(labels.find(axis[i]), count).second)
            ++count;
      }
    }
  group_of_.assign(static_cast<size_t>(count), -1);
}

void Coupling::collect_axes(const Labels& labels) {
  std::map<std::vector<int>, int> known;
  const auto add = [&](const std::string& value) {
    if (value.empty() || !labels.knows(value) || axis_ids_.contains(value)) return;
    std::vector<int>& ids = axis_ids_[value];
    for (int64_t a = 0; a < labels.rank(value); ++a) {
      const AxisLabels axis = labels.axis(value, a);
      std::vector<int> units;
      bool any = false;
      for (int64_t i = 0; i < axis.extent; ++i) {
        const auto found = unit_of_.find(labels.find(axis[i]));
        units.push_back(found == unit_of_.end() ? kStays : found->second);
        any |= units.back() != kStays;
      }
      if (!any) {
        ids.push_back(-1);
        continue;
      }
      const auto [entry, added] =
          known.try_emplace(std::move(units), static_cast<int>(axes_.size()));
      if (added) axes_.push_back(entry->first);
      ids.push_back(entry->second);
    }
  };
  for (const Port& port : graph_.inputs) add(port.name);
  for (const Node& node : graph_.nodes)
    for (const std::vector<std::string>& values : {node.inputs, node.outputs})
      for (const std::string& value : values) add(value);
}

void Coupling::form_groups() {
  std::vector<std::vector<Member>> members(group_of_.size());  // of each unit, in network order
  std::set<std::string> seen;
  for (const Node& node : graph_.nodes)
    for (const std::string& input : node.inputs) {
      if (!graph_.is_parameter(input) || !seen.insert(input).second) continue;
      const std::vector<int>& ids = axis_ids_.at(input);
      for (size_t a = 0; a < ids.size(); ++a) {
        if (ids[a] < 0) continue;
        std::set<int> touching(axes_[ids[a]].begin(), axes_[ids[a]].end());
        touching.erase(kStays);
        for (const int unit : touching) members[unit].push_back({input, static_cast<int64_t>(a)});
      }
    }
  std::map<std::string, int> by_signature;
  for (size_t unit = 0; unit < members.size(); ++unit) {
    std::string signature;
    for (const Member& m : members[unit]) signature += fmt::format("{}[{}];", m.parameter, m.axis);
    const auto [found, added] =
        by_signature.try_emplace(signature, static_cast<int>(groups_.size()));
    if (added)
      groups_.push_back({fmt::format("{}[{}]", members[unit][0].parameter, members[unit][0].axis),
                         {},
                         members[unit]});
    groups_[found->second].units.push_back(static_cast<int>(unit));
    group_of_[unit] = found->second;
  }
  std::map<std::string, int> used;  // two groups may begin at the same axis: name them apart
  for (Group& group : groups_)
    if (const int n = used[group.name]++; n > 0) group.name += fmt::format("#{}", n + 1);
}

void Coupling::list_frozen(const Labels& labels) {
  std::set<std::string> seen;
  for (const Node& node : graph_.nodes) {
    const Operator* op = find_operator(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string& input = node.inputs[i];
      if (!graph_.is_parameter(input) || (op != nullptr && !op->learns(i))) continue;
      if (!seen.insert(input).second) continue;
      for (int64_t a = 0; a < labels.rank(input); ++a) {
        const AxisLabels axis = labels.axis(input, a);
        FrozenAxis entry{{input, a}, 0, ""};
        for (int64_t index = 0; index < axis.extent; ++index) {
          if (!labels.frozen(axis[index])) continue;
          if (entry.stays++ == 0) entry.reason = labels.reason(axis[index]);
        }
        if (entry.stays > 0) frozen_.push_back(std::move(entry));
      }
    }
  }
}

int Coupling::axis_of(const std::string& value, int64_t axis) const {
  const auto found = axis_ids_.find(value);
  return found == axis_ids_.end() ? -1 : found->second.at(static_cast<size_t>(axis));
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
  for (const auto& [value, ids] : axis_ids_)
    if (std::any_of(ids.begin(), ids.end(), [](int id) { return id >= 0; })) {
      std::vector<std::vector<int64_t>>& axes = result[value];
      for (size_t a = 0; a < ids.size(); ++a)
        axes.push_back(ids[a] < 0 ? all_indices(shapes_.at(value)[a]) : by_axis[ids[a]]);
    }
  return result;
}

}  // namespace crrm
