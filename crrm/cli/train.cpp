// crrm train ARCH --data DATA: a network from scratch, to be compressed later.
#include "crrm/base/error.h"
#include "crrm/cli/session.h"
#include "crrm/cli/task.h"
#include "crrm/report/comparison.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

/// "mlp:300,100" as "mlp-300-100".
std::string file_name(std::string architecture) {
  for (char& c : architecture)
    if (c == ':' || c == ',') c = '-';
  return architecture;
}

int train(Settings settings, const Invocation& invocation) {
  const bool file = is_network_file(settings.architecture);
  if (settings.output.empty())
    settings.output =
        (file ? name_of_model(settings.architecture) : file_name(settings.architecture)) + "-crrm";
  if (file) settings.architecture = fs::absolute(settings.architecture).lexically_normal().string();
  if (!settings.reference.empty())
    settings.reference = fs::absolute(settings.reference).lexically_normal().string();
  if (!settings.weights.empty()) {
    if (file)
      throw InputError({.file = "--weights",
                        .expected = "an architecture to put them into",
                        .found = settings.architecture});
    settings.weights = fs::absolute(settings.weights).lexically_normal().string();
  }
  for (std::string* path : {&settings.data, &settings.output})
    *path = fs::absolute(*path).lexically_normal().string();
  return run_session(std::move(settings), "train", invocation, /*resumes=*/false);
}

const CommandRegistration registration({
    .name = "train",
    .summary = "Trains a built-in network from scratch",
    .example = "crrm train digits --data demo/digits.csv.gz",
    .run = &train,
});

}  // namespace

}  // namespace crrm::cli
