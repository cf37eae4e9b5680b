// crrm compress MODEL --data DATA (--macs | --params): a smaller network, proved.
#include "crrm/cli/session.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

int compress(Settings settings, const Invocation& invocation) {
  const Command& command = find_command("compress");
  require(settings, command, "model");
  require(settings, command, "data");
  if (settings.output.empty()) settings.output = fs::path(settings.model).stem().string() + "-crrm";
  for (std::string* path : {&settings.model, &settings.data, &settings.output})
    *path = fs::absolute(*path).lexically_normal().string();
  return run_session(std::move(settings), "compress", invocation, /*resumes=*/false);
}

const CommandRegistration registration({
    .name = "compress",
    .summary = "Makes a trained network smaller and proves that nothing was broken",
    .example = "crrm compress demo/digits.onnx --data demo/digits.csv.gz --macs 50%",
    .run = &compress,
});

}  // namespace

}  // namespace crrm::cli
