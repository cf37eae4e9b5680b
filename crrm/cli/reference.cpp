// crrm reference: the text of docs/options.md.
#include <iostream>

#include "crrm/cli/command.h"

namespace crrm::cli {

namespace {

const CommandRegistration registration({
    .name = "reference",
    .summary = "Prints docs/options.md",
    .example = "crrm reference",
    .run =
        [](const Settings&, const Invocation&) {
          std::cout << reference();
          return 0;
        },
    .hidden = true,
});

}  // namespace

}  // namespace crrm::cli
