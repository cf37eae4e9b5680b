// A run from its options to its folder: what compress, train and resume share.
#pragma once

#include <filesystem>

#include "crrm/cli/command.h"

namespace crrm::cli {

/// @param command  "compress" or "train"
/// @param resumes  continue from the checkpoint in settings.output
/// @return the exit code
int run_session(Settings settings, const std::string& command, const Invocation& invocation,
                bool resumes);

/// Goes on with the run in a folder, as it was configured.
/// @param call  how it prints: quiet, verbose, json, progress
int resume_session(const std::filesystem::path& folder, const Settings& call,
                   const Invocation& invocation);

}  // namespace crrm::cli
