#pragma once

#include <vector>

#include "crrm/cli/options.h"

namespace crrm::cli {

/// All options, made anew; `options` has them.
std::vector<Option> option_table();

}  // namespace crrm::cli
