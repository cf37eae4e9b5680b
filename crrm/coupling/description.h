// All that is to be said of a group: which indices its units have, what one costs, what binds the
// units to each other, and who reads them.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/cost.h"
#include "crrm/coupling/index_map.h"

namespace crrm {

/// Equally many units of each block must stay.
struct Constraint {
  IndexSets blocks;                      ///< positions of the group's units, by block
  std::vector<std::string> nodes;        ///< names of the convolutions in groups that ask for it
  std::vector<std::string> others = {};  ///< names of the groups that have units in it, too
};

/// A contraction of what the units compute: where a gate multiplies.
struct Reading {
  std::string node;
  std::string value;  ///< that is read; where `inside`, the weight that reads the node's own state
  int64_t axis;
  bool inside;
};

struct GroupDescription {
  const Group* group;
  Cost unit_cost;              ///< of one unit at the margin of the whole network
  std::vector<IndexMap> maps;  ///< of each member
  std::vector<Constraint> constraints;
  std::vector<Reading> readings;
};

/// Of each group, in the coupling's order; refers to the coupling's groups.
std::vector<GroupDescription> describe(const Graph& network, const Coupling& coupling);

}  // namespace crrm
