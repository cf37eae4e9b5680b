// A set-up over seeds: curves in the information plane, and what they allow to be said.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "crrm/phases/setup.h"

namespace crrm {

/// Trains `setup` from seeds that derive from `first` and looks at every layer through every
/// channel.
/// @param seeds     >= 2; of a saved set-up all trainings are looked at, and none is made
/// @param progress  told which training begins, of how many
/// @return an entry of the report's `setups` or `controls` (docs/phases.md)
nlohmann::ordered_json information_plane(
    const Setup& setup, int64_t seeds, uint64_t first,
    const std::function<void(int64_t training, int64_t of)>& progress);

}  // namespace crrm
