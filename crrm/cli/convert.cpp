// crrm convert IN OUT: a model in crrm's normal form, as ONNX of one opset.
#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/io/onnx.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

int convert(Settings settings, const Invocation&) {
  const Command& command = find_command("convert");
  require(settings, command, "input");
  require(settings, command, "target");
  if (same_file(settings.input, settings.target))
    throw InputError({.file = settings.target,
                      .expected = "an output that is not the input",
                      .found = settings.input});
  if (fs::exists(settings.target) && !settings.force)
    throw InputError({.file = settings.target,
                      .expected = "a file that is not there yet",
                      .found = "a file",
                      .hint = "--force replaces it"});
  write_onnx(read_onnx(settings.input), settings.target);
  return 0;
}

const CommandRegistration registration({
    .name = "convert",
    .summary = fmt::format("Writes an ONNX model of opset 9 to 21 as opset {}", kOpset),
    .example = "crrm convert demo/digits.onnx digits21.onnx",
    .run = &convert,
});

}  // namespace

}  // namespace crrm::cli
