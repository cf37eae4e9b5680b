// Sets of units that may leave: what the constraints of a coupling allow.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// The units in sets that can go one after the other: single ones, and where equally many of some
/// blocks must stay, one of each block.
/// @param score  [coupling.size()]: a block's units are matched with the others' in ascending order
std::vector<std::vector<int>> closures(const Coupling& coupling, const std::vector<double>& score);

/// Which units stay when each closure goes with probability `removed`. An axis loses all where it
/// may (coupling/removal.h), and what nobody reads then goes with it.
/// @return [coupling.size()]
std::vector<bool> random_subset(const Coupling& coupling, double removed, uint64_t seed);

/// @param origin  names the subset in errors
/// @throws InputError where an axis would lose all and may not, or blocks would keep unequal
/// counts.
void check_subset(const Coupling& coupling, const std::vector<bool>& alive,
                  const std::string& origin);

/// What a coupling must stand: nothing removed, all but one of each axis, all that may go, single
/// closures removed, single ones left (at most `single` of each, evenly spread), and `random`
/// random subsets.
std::vector<std::vector<bool>> trial_subsets(const Coupling& coupling, int single, int random,
                                             uint64_t seed);

}  // namespace crrm
