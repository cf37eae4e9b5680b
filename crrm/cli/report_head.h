// What the reports of commands that look at networks and data begin with.
#pragma once

#include <c10/core/Device.h>

#include <nlohmann/json.hpp>
#include <string>

#include "crrm/cli/command.h"

namespace crrm::cli {

/// schema_version, kind, crrm, command, config, seed and machine (docs/measures.md).
/// @param command  whose options `config` holds; `settings.threads` is known
nlohmann::ordered_json report_head(const std::string& kind, const std::string& command,
                                   const Settings& settings, const Invocation& invocation,
                                   at::Device device);

}  // namespace crrm::cli
