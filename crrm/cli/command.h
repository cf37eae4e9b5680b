// A sub-command: one file of this folder that registers itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crrm/cli/options.h"

namespace crrm::cli {

/// The exit code of what a signal ended is this and the signal.
inline constexpr int kSignalled = 128;

/// What a command knows besides its options.
struct Invocation {
  std::vector<std::string> words;  ///< the command line, program name included
  bool prints = true;              ///< whether a run's result goes to stdout
};

struct Command {
  std::string name;
  std::string summary;                                  ///< one line, without a full stop
  std::string example;                                  ///< a command line that runs
  std::function<int(Settings, const Invocation&)> run;  ///< @return the exit code
  bool hidden = false;
  bool computes = true;  ///< runs networks, on as many threads as the machine has
};

/// Sorted by name.
const std::vector<Command>& commands();
/// Of those that are not hidden.
std::vector<std::string> command_names();
/// @throws InputError with the nearest name.
const Command& find_command(const std::string& name);

/// A static one of these in a command's source makes the program know it. Before `run` is called,
/// it is checked that the settings hold what the table of options requires; a path that the file
/// system refuses ends it with InputError.
struct CommandRegistration {
  explicit CommandRegistration(Command command);
};

/// "crrm eval MODEL --data DATA [options]": all that is required, from the table of options.
std::string usage(const Command& command);

/// The text of `crrm COMMAND --help`.
std::string help(const Command& command);

/// Reads the words behind the command's name; those of --config, then those of the line.
/// @throws InputError for unknown options (with the nearest), missing values, values out of range.
Settings parse(const Command& command, const std::vector<std::string>& words);

}  // namespace crrm::cli
