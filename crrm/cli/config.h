// config.toml: flat `key = value` lines of TOML, one for each option.
#pragma once

#include <filesystem>
#include <string>

#include "crrm/cli/options.h"

namespace crrm::cli {

/// Sets what the file says. @throws InputError naming file and line: no TOML of this kind, an
/// unknown key (with the nearest), a wrong value.
void read_config(Settings& settings, const std::string& command, const std::filesystem::path& file);

/// The options that configure `command`, as read_config takes them.
std::string write_config(const Settings& settings, const std::string& command);

}  // namespace crrm::cli
