// A run from its options to its folder: what compress, train and resume share.
#pragma once

#include "crrm/cli/command.h"

namespace crrm::cli {

/// @param command  "compress" or "train"
/// @param resumes  continue from the checkpoint in settings.output
/// @return the exit code
int run_session(Settings settings, const std::string& command, const Invocation& invocation,
                bool resumes);

}  // namespace crrm::cli
