// A set-up over seeds: curves in the information plane, and what they allow to be said.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "crrm/phases/setup.h"

namespace crrm {

/// Trains `setup` from the seeds first, first + 1, ... and looks at every layer through every
/// channel.
/// @param seeds     >= 2
/// @param progress  told which seed begins
/// @return an entry of the report's `setups` or `controls` (docs/phases.md)
nlohmann::ordered_json information_plane(const Setup& setup, int64_t seeds, uint64_t first,
                                         const std::function<void(int64_t seed)>& progress);

}  // namespace crrm
