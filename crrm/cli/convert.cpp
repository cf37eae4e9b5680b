// crrm convert IN OUT: a model in crrm's normal form, as ONNX of one opset.
#include <iostream>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/cli/command.h"
#include "crrm/io/onnx.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

int convert(Settings settings, const Invocation&) {
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
  if (!settings.json) return 0;
  const Json written = {{"path", settings.target},
                        {"opset", kOpset},
                        {"bytes", fs::file_size(settings.target)},
                        {"sha256", sha256_file(settings.target)}};
  std::cout << written.dump(2) << "\n";
  return 0;
}

const CommandRegistration registration({
    .name = "convert",
    .summary = fmt::format("Writes an ONNX model of opset 6 to 21 as opset {}", kOpset),
    .example = "crrm convert demo/digits.onnx digits21.onnx",
    .run = &convert,
});

}  // namespace

}  // namespace crrm::cli
