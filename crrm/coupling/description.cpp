#include "crrm/coupling/description.h"

#include <set>

namespace crrm {

namespace {

int64_t position_of(const Group& group, int unit) {
  return std::lower_bound(group.units.begin(), group.units.end(), unit) - group.units.begin();
}

/// The constraint as each group that has units in it sees it.
void add_constraint(const EqualCount& equal, const Coupling& coupling,
                    std::vector<GroupDescription>& descriptions) {
  std::set<int> concerned;
  for (const std::vector<int>& block : equal.blocks)
    for (const int unit : block) concerned.insert(coupling.group_of(unit));
  for (const int g : concerned) {
    const Group& group = coupling.groups()[static_cast<size_t>(g)];
    Constraint constraint{.blocks = {}, .nodes = equal.nodes};
    for (const std::vector<int>& block : equal.blocks) {
      std::vector<int64_t>& own = constraint.blocks.emplace_back();
      for (const int unit : block)
        if (coupling.group_of(unit) == g) own.push_back(position_of(group, unit));
    }
    for (const int other : concerned)
      if (other != g)
        constraint.others.push_back(coupling.groups()[static_cast<size_t>(other)].name);
    descriptions[static_cast<size_t>(g)].constraints.push_back(std::move(constraint));
  }
}

void add_readings(const Graph& network, const Coupling& coupling,
                  std::vector<GroupDescription>& descriptions) {
  std::unordered_map<std::string, const Node*> nodes;
  for (const Node& node : network.nodes) nodes.emplace(node.name, &node);
  for (const Reader& reader : coupling.readers()) {
    const std::string& value = nodes.at(reader.node)->inputs[reader.input];
    const int axis = coupling.axis_of(value, reader.axis).axis;
    std::set<int> read;
    for (const int unit : coupling.axes()[static_cast<size_t>(axis)])
      if (unit != Coupling::kStays) read.insert(coupling.group_of(unit));
    for (const int g : read)
      descriptions[static_cast<size_t>(g)].readings.push_back(
          {reader.node, value, reader.axis, reader.inside});
  }
}

}  // namespace

std::vector<GroupDescription> describe(const Graph& network, const Coupling& coupling) {
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const std::vector<Cost> costs = unit_costs(coupling, CostModel(network, coupling), all);
  std::vector<GroupDescription> descriptions;
  for (size_t g = 0; g < costs.size(); ++g) {
    const Group& group = coupling.groups()[g];
    descriptions.push_back({.group = &group,
                            .unit_cost = costs[g],
                            .maps = index_maps(coupling, group),
                            .constraints = {},
                            .readings = {}});
  }
  for (const EqualCount& equal : coupling.equal_counts())
    add_constraint(equal, coupling, descriptions);
  add_readings(network, coupling, descriptions);
  return descriptions;
}

}  // namespace crrm
