// A report like those of crrm measure, for the tests of this room.
#pragma once

#include <nlohmann/json.hpp>

namespace crrm {

/// Five layers at three epochs. Of the last epoch's second layer TwoNN is doubtful (ties), of its
/// fourth refused; capacity is refused of the input throughout.
nlohmann::ordered_json measure_example();

}  // namespace crrm
