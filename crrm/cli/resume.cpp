// crrm resume RUN: goes on where a run was interrupted.
#include "crrm/base/error.h"
#include "crrm/cli/config.h"
#include "crrm/cli/session.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

int resume(const Settings& call, const Invocation& invocation) {
  return resume_session(call.run, call, invocation);
}

const CommandRegistration registration({
    .name = "resume",
    .summary = "Goes on with a run that was interrupted",
    .example = "crrm resume digits-crrm",
    .run = &resume,
});

}  // namespace

int resume_session(const fs::path& path, const Settings& call, const Invocation& invocation) {
  const RunFolder folder(fs::absolute(path).lexically_normal());
  if (!fs::exists(folder.checkpoint()))
    throw InputError({.file = folder.path().string(),
                      .place = "checkpoint/state.safetensors",
                      .expected = "the checkpoint of a run",
                      .found = "no such file",
                      .hint = "start the run again with crrm compress or crrm train"});
  const TensorFile checkpoint = read_safetensors(folder.checkpoint());
  const auto command = checkpoint.metadata.find("command");
  if (command == checkpoint.metadata.end())
    throw InputError({.file = folder.checkpoint().string(),
                      .expected = "a checkpoint that crrm wrote",
                      .found = "no metadata \"command\""});
  Settings settings;
  read_config(settings, command->second, folder.config());
  settings.output = folder.path().string();
  settings.json = call.json;
  settings.quiet = call.quiet;
  settings.verbose = call.verbose;
  settings.progress = call.progress;
  return run_session(std::move(settings), command->second, invocation, /*resumes=*/true);
}

}  // namespace crrm::cli
