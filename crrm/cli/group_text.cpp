#include "crrm/cli/group_text.h"

#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Groups of so few units are listed unit by unit.
constexpr size_t kFewUnits = 16;

/// "bn1.running_mean[0](2u)" as its layer, "bn1.", and its axis, "[0](2u)".
struct AxisName {
  explicit AxisName(const std::string& text) {
    const size_t bracket = text.rfind('[');
    layer = text.substr(0, text.rfind('.', bracket) + 1);  // npos + 1 = 0: of no layer
    axis = text.substr(bracket);
  }
  bool operator==(const AxisName&) const = default;

  std::string layer, axis;
};

/// Unit u has index u, and the axis has no others.
bool is_plain(const IndexMap& map, size_t units) {
  const Progression plain{.first = 0, .step = units > 1, .run = 1, .repeats = 1, .period = 0};
  return map.taken == map.extent && map.progression == plain;
}

std::string remark(const IndexMap& map) {
  std::string text = map.progression ? formula(*map.progression) : "listed";
  std::erase(text, ' ');  // one word of its list
  return "(" + text + ")";
}

std::string noun(size_t count, const std::string& singular) {
  return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

/// "784 of 784 indices, 49 each"
std::string share(const IndexMap& map, size_t units) {
  std::string text = fmt::format("{} of {} indices", map.taken, map.extent);
  if (map.blocks > 1)
    text += fmt::format(", of which each of {} blocks of rows reads {}", map.blocks,
                        map.extent / map.blocks);
  const int64_t each = map.taken / static_cast<int64_t>(units);
  if (map.progression && each > 1) text += fmt::format(", {} each", each);
  return text;
}

std::string member_text(const Member& member, const IndexMap& map, size_t units) {
  std::string text = fmt::format("  {}: {}", name_of(member), share(map, units));
  if (map.progression) return fmt::format("{} (unit u: {})\n", text, formula(*map.progression));
  text += ", as listed\n";
  for (size_t u = 0; u < map.listed.size(); ++u)
    text += fmt::format("    unit {}: {}\n", u, ranges(map.listed[u]));
  return text;
}

std::string reading_text(const Reading& reading) {
  if (reading.inside)
    return fmt::format("  node \"{}\": its own state, by the weight {}\n", reading.node,
                       reading.value);
  return fmt::format("  node \"{}\": axis {} of {}\n", reading.node, reading.axis, reading.value);
}

/// "  3: index 3 of conv1.weight[0] norm1.*[0]; 27..35 of fc.weight[1]"
std::string unit_text(const GroupDescription& description, int64_t unit, const AxisList& list) {
  std::vector<std::pair<std::string, std::vector<Member>>> by_indices;
  for (size_t m = 0; m < description.maps.size(); ++m) {
    const std::string indices = ranges(description.maps[m].indices(unit));
    if (by_indices.empty() || by_indices.back().first != indices)
      by_indices.push_back({indices, {}});
    by_indices.back().second.push_back(description.group->members[m]);
  }
  std::vector<std::string> parts;
  for (const auto& [indices, members] : by_indices)
    parts.push_back(fmt::format("{} of {}", indices, list(members)));
  return fmt::format("  {}: {}\n", unit, fmt::join(parts, "; "));
}

/// The progression of blocks, where they are one.
std::optional<Progression> progression_of_blocks(const IndexSets& blocks) {
  const bool full = std::none_of(blocks.begin(), blocks.end(),
                                 [](const std::vector<int64_t>& block) { return block.empty(); });
  return full ? progression_of(blocks) : std::nullopt;
}

std::string blocks_text(const IndexSets& blocks) {
  if (const std::optional<Progression> progression = progression_of_blocks(blocks))
    return "block b: " + formula(*progression, "b");
  std::vector<std::string> parts;
  for (size_t b = 0; b < blocks.size(); ++b)
    parts.push_back(fmt::format("block {}: {}", b, blocks[b].empty() ? "none" : ranges(blocks[b])));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string size_of_blocks(const IndexSets& blocks) {
  const bool alike = std::all_of(blocks.begin(), blocks.end(), [&](const auto& block) {
    return block.size() == blocks[0].size();
  });
  return alike ? " of " + noun(blocks[0].size(), "unit") : "";
}

std::string quoted(const std::vector<std::string>& nodes) {
  return fmt::format("node{} \"{}\"", nodes.size() == 1 ? "" : "s", fmt::join(nodes, "\", \""));
}

Json to_json(const std::optional<Progression>& progression) {
  if (!progression) return nullptr;
  return {{"first", progression->first},
          {"step", progression->step},
          {"run", progression->run},
          {"repeats", progression->repeats},
          {"period", progression->period}};
}

Json to_json(const Member& member, const IndexMap& map) {
  return {{"parameter", member.parameter},
          {"axis", member.axis},
          {"extent", map.extent},
          {"blocks", map.blocks},
          {"taken", map.taken},
          {"formula", map.progression ? Json(formula(*map.progression)) : Json()},
          {"progression", to_json(map.progression)},
          {"listed", map.progression ? Json() : Json(map.listed)}};
}

Json to_json(const Constraint& constraint) {
  return {{"kind", "equal_count"},
          {"blocks", constraint.blocks},
          {"nodes", constraint.nodes},
          {"other_groups", constraint.others}};
}

Json to_json(const Reading& reading) {
  return {{"node", reading.node},
          {"value", reading.value},
          {"axis", reading.axis},
          {"inside", reading.inside}};
}

template <typename T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return list;
}

}  // namespace

std::string name_of(const Member& member) {
  return fmt::format("{}[{}]", member.parameter, member.axis);
}

AxisList::AxisList(const Graph& network) {
  for (const auto& [name, tensor] : network.parameters) ++parameters_[AxisName(name + "[]").layer];
}

std::string AxisList::joined(const std::vector<std::string>& axes) const {
  std::vector<std::string> words;
  for (size_t i = 0; i < axes.size();) {
    const AxisName name(axes[i]);
    size_t end = i + 1;
    while (end < axes.size() && AxisName(axes[end]) == name) ++end;
    if (end - i > 1 && !name.layer.empty() && end - i == parameters_.at(name.layer))
      words.push_back(name.layer + "*" + name.axis);
    else
      words.insert(words.end(), axes.begin() + static_cast<std::ptrdiff_t>(i),
                   axes.begin() + static_cast<std::ptrdiff_t>(end));
    i = end;
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string AxisList::operator()(const GroupDescription& description) const {
  std::vector<std::string> axes;
  for (size_t m = 0; m < description.maps.size(); ++m) {
    const IndexMap& map = description.maps[m];
    axes.push_back(name_of(description.group->members[m]));
    if (!is_plain(map, description.group->units.size())) axes.back() += remark(map);
  }
  return joined(axes);
}

std::string AxisList::operator()(const Coupling& coupling,
                                 const std::vector<FrozenAxis>& frozen) const {
  std::vector<std::string> axes;
  for (const FrozenAxis& axis : frozen) {
    const IndexMap map = index_map(coupling, axis);
    axes.push_back(name_of(axis.member));
    if (map.taken != map.extent) axes.back() += remark(map);
  }
  return joined(axes);
}

std::string AxisList::operator()(const std::vector<Member>& members) const {
  std::vector<std::string> axes;
  for (const Member& member : members) axes.push_back(name_of(member));
  return joined(axes);
}

std::string to_text(const Constraint& constraint) {
  std::string text = fmt::format("equally many of each of {} blocks{} stay ({}): {}",
                                 constraint.blocks.size(), size_of_blocks(constraint.blocks),
                                 blocks_text(constraint.blocks), quoted(constraint.nodes));
  if (!constraint.others.empty())
    text += fmt::format("; counted with {}", fmt::join(constraint.others, ", "));
  return text;
}

std::string in_full(const GroupDescription& description, const AxisList& list) {
  const Group& group = *description.group;
  const size_t units = group.units.size();
  std::string text =
      fmt::format("{}: {}, each {} parameters and {} MACs\nmembers:\n", group.name,
                  noun(units, "unit"), description.unit_cost.params, description.unit_cost.macs);
  for (size_t m = 0; m < group.members.size(); ++m)
    text += member_text(group.members[m], description.maps[m], units);
  if (!description.constraints.empty()) text += "constraints:\n";
  for (const Constraint& constraint : description.constraints)
    text += "  " + to_text(constraint) + "\n";
  if (!description.readings.empty()) text += "readers, where gates go:\n";
  for (const Reading& reading : description.readings) text += reading_text(reading);
  if (units > kFewUnits) return text;
  text += "units, by index:\n";
  for (size_t u = 0; u < units; ++u) text += unit_text(description, static_cast<int64_t>(u), list);
  return text;
}

std::string in_full(const Coupling& coupling, const FrozenAxis& axis) {
  const IndexMap map = index_map(coupling, axis);
  return fmt::format("{}: {} of {} indices stay ({})\n  {}\n", name_of(axis.member), map.taken,
                     map.extent, ranges(map.indices(0)), axis.reason);
}

Json to_json(const GroupDescription& description) {
  const Group& group = *description.group;
  Json members = Json::array();
  for (size_t m = 0; m < group.members.size(); ++m)
    members.push_back(to_json(group.members[m], description.maps[m]));
  return {{"name", group.name},
          {"kept", group.units.size()},
          {"of", group.units.size()},
          {"units_cost_params", description.unit_cost.params},
          {"units_cost_macs", description.unit_cost.macs},
          {"members", members},
          {"constraints", list_of(description.constraints)},
          {"readers", list_of(description.readings)},
          {"frozen", nullptr},
          {"frozen_by", nullptr}};
}

Json to_json(const Coupling& coupling, const FrozenAxis& axis) {
  Json members = Json::array();
  members.push_back(to_json(axis.member, index_map(coupling, axis)));
  return {{"name", name_of(axis.member)},
          {"kept", axis.stays},
          {"of", axis.stays},
          {"units_cost_params", 0},
          {"units_cost_macs", 0},
          {"members", members},
          {"constraints", Json::array()},
          {"readers", Json::array()},
          {"frozen", axis.reason},
          {"frozen_by", axis.node.empty() ? Json() : Json(axis.node)}};
}

}  // namespace crrm::cli
