// A report like those of real runs, for the tests of this room.
#pragma once

#include <nlohmann/json.hpp>

namespace crrm {

/// ResNet-20 on CIFAR-10 at half its MACs: five stages, 60 points of the curve, one frozen group.
nlohmann::ordered_json example_report();

}  // namespace crrm
