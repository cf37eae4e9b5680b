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

bool is_width(const FrozenAxis& axis) {
  return axis.member.axis < 2 && axis.kind != Frozen::position;
}

Labels label_network(const Graph& graph, const ShapeTable& shapes) {
  Labels labels(graph, shapes);
  for (const Port& port : graph.inputs)
    labels.freeze(port.name, fmt::format("input of the network \"{}\"", port.name), Frozen::input);
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
  list_equal_counts(labels);
  for (const Reader& reader : labels.readers()) {
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == reader.node; });
    if (axis_of(node->inputs[reader.input], reader.axis).axis >= 0) readers_.push_back(reader);
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
    if (value.empty() || !labels.knows(value) || axis_refs_.contains(value)) return;
    std::vector<AxisRef>& refs = axis_refs_[value];
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
        refs.emplace_back();
        continue;
      }
      const auto [entry, added] =
          known.try_emplace(std::move(units), static_cast<int>(axes_.size()));
      if (added) axes_.push_back(entry->first);
      refs.push_back({entry->second, axis.blocks});
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
      const std::vector<AxisRef>& refs = axis_refs_.at(input);
      for (size_t a = 0; a < refs.size(); ++a) {
        if (refs[a].axis < 0) continue;
        std::set<int> touching(axes_[refs[a].axis].begin(), axes_[refs[a].axis].end());
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
          if (entry.stays++ > 0) continue;
          entry.reason = labels.reason(axis[index]);
          entry.kind = labels.kind(axis[index]);
        }
        if (entry.stays > 0) frozen_.push_back(std::move(entry));
      }
    }
  }
}

void Coupling::list_equal_counts(const Labels& labels) {
  std::set<std::vector<std::vector<int>>> known;
  for (const BalancedAxis& balanced : labels.balanced()) {
    const int64_t each = balanced.axis.extent / balanced.blocks;
    std::map<int, std::set<int64_t>> blocks_of;  // by unit
    for (int64_t i = 0; i < balanced.axis.extent; ++i)
      if (const auto found = unit_of_.find(labels.find(balanced.axis[i])); found != unit_of_.end())
        blocks_of[found->second].insert(i / each);
    std::vector<std::vector<int>> blocks(static_cast<size_t>(balanced.blocks));
    for (const auto& [unit, in] : blocks_of)
      if (in.size() == 1) blocks[static_cast<size_t>(*in.begin())].push_back(unit);
    if (!blocks[0].empty() && known.insert(blocks).second)
      equal_counts_.push_back({std::move(blocks)});
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
