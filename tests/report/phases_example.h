// A report like those of crrm phases, for the tests of this room.
#pragma once

#include <nlohmann/json.hpp>

namespace crrm {

/// Two set-ups and a control of three layers, two channels and two seeds, at four epochs. The first
/// set-up's channels are added for the analysis, the second's first is part of the network. The
/// first curve of each has no number at the last epoch.
nlohmann::ordered_json phases_example();

}  // namespace crrm
