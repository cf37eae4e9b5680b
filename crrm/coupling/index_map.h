// Which indices of a member's axis belong to which unit of a group, as a formula where there is
// one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// Ascending sets of indices.
using IndexSets = std::vector<std::vector<int64_t>>;

/// Sets that are all shifts of one, in equal steps. Set u is
///   { first + u * step + r * period + i : 0 <= r < repeats, 0 <= i < run },
/// all runs of one set apart from each other.
struct Progression {
  int64_t first = 0;
  int64_t step = 0;  ///< may be negative: channels in reverse
  int64_t run = 1;
  int64_t repeats = 1;
  int64_t period = 0;

  bool operator==(const Progression&) const = default;
};

/// The progression that the sets are; none where they are none. No set may be empty.
std::optional<Progression> progression_of(const IndexSets& sets);

/// Set `u` of it. @param u >= 0
std::vector<int64_t> indices_of(const Progression& progression, int64_t u);

/// Set `variable` of it: "u+16", "49u..49u+48", "u+64r, r = 0..8", "63-u".
std::string formula(const Progression& progression, const std::string& variable = "u");

/// Indices as people write them: "0, 3, 5..7".
std::string ranges(const std::vector<int64_t>& ascending);

/// The indices of one axis that the units of one group have. Units are counted by their position in
/// the group.
struct IndexMap {
  int64_t extent = 0;  ///< of the axis
  /// As in KeptAxis: > 1 for a grouped weight. Extent and indices are then those of the longer axis
  /// that its blocks of rows see a part each of.
  int64_t blocks = 1;
  int64_t taken = 0;  ///< how many indices belong to the group; others stay, or are of other groups
  std::optional<Progression> progression = {};
  IndexSets listed = {};  ///< by unit, where there is no progression

  /// Of the unit at a position of the group.
  std::vector<int64_t> indices(int64_t position) const;
};

/// @return  one for each of the group's members
std::vector<IndexMap> index_maps(const Coupling& coupling, const Group& group);

/// What stays of an axis, as if it were one unit.
IndexMap index_map(const Coupling& coupling, const FrozenAxis& frozen);

}  // namespace crrm
