// crrm help [COMMAND]: what commands there are, or the options of one.
#include <iostream>

#include "crrm/cli/command.h"

namespace crrm::cli {

namespace {

std::string list_commands() {
  std::string text = "usage: crrm COMMAND [options]\n\n";
  for (const Command& command : commands())
    if (!command.hidden) text += fmt::format("  {:<14}{}\n", command.name, command.summary);
  return text + "\ncrrm COMMAND --help shows the options of one.\n";
}

const CommandRegistration registration({
    .name = "help",
    .summary = "Lists the commands, or explains one of them",
    .example = "crrm help compress",
    .run =
        [](const Settings& settings, const Invocation&) {
          std::cout << (settings.topic.empty() ? list_commands()
                                               : help(find_command(settings.topic)));
          return 0;
        },
});

}  // namespace

}  // namespace crrm::cli
