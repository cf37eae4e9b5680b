// crrm compress MODEL --data DATA LIMIT: a smaller network, proved.
#include "crrm/base/error.h"
#include "crrm/cli/goals.h"
#include "crrm/cli/session.h"
#include "crrm/report/comparison.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

int compress(Settings settings, const Invocation& invocation) {
  settings.model = fs::absolute(settings.model).lexically_normal().string();
  if (settings.output.empty()) settings.output = name_of_model(settings.model) + "-crrm";
  for (std::string* path : {&settings.data, &settings.output})
    *path = fs::absolute(*path).lexically_normal().string();
  const std::string likely = forgotten_percent(settings);
  try {
    return run_session(std::move(settings), "compress", invocation, /*resumes=*/false);
  } catch (const InputError& error) {
    Fault fault = error.fault();
    if (likely.empty() || (fault.place != "--macs" && fault.place != "--params")) throw;
    fault.hint = fault.hint.empty() ? likely : likely + " " + fault.hint;
    throw InputError(fault);
  }
}

const CommandRegistration registration({
    .name = "compress",
    .summary = "Makes a trained network smaller and proves that nothing was broken",
    .example = "crrm compress demo/digits.onnx --data demo/digits.csv.gz --macs 50%",
    .run = &compress,
});

}  // namespace

}  // namespace crrm::cli
