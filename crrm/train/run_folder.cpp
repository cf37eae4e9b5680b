#include "crrm/train/run_folder.h"

#include <unistd.h>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCommand = "command";
constexpr const char* kModel = "model_sha256";
constexpr const char* kData = "data_sha256";
constexpr const char* kConfig = "config_sha256";

fs::path existing_parent(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_parent_path() && path != path.parent_path())
    path = path.parent_path();
  return path;
}

[[noreturn]] void refuse_input(const fs::path& input, const fs::path& output) {
  throw InputError({.file = output.string(),
                    .expected = "an output that is not the input",
                    .found = fmt::format("{}, which the run reads", input.string()),
                    .hint = "choose another folder with -o"});
}

void check_writable(const fs::path& folder) {
  const fs::path parent = existing_parent(fs::absolute(folder));
  if (!fs::is_directory(parent) || access(parent.c_str(), W_OK) != 0)
    throw WriteError({.file = folder.string(),
                      .expected = "a folder that can be made and written",
                      .found = fs::is_directory(parent)
                                   ? fmt::format("no permission to write in {}", parent.string())
                                   : fmt::format("{} is no folder", parent.string()),
                      .hint = "choose another folder with -o"});
}

}  // namespace

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::exists(a, error) && fs::exists(b, error) && fs::equivalent(a, b, error);
}

void Fingerprint::stamp(TensorFile& checkpoint) const {
  checkpoint.metadata[kCommand] = command;
  checkpoint.metadata[kModel] = model;
  checkpoint.metadata[kData] = data;
  checkpoint.metadata[kConfig] = config;
}

void Fingerprint::check(const TensorFile& checkpoint, const std::string& file) const {
  const std::vector<std::tuple<const char*, const char*, std::string>> parts = {
      {kModel, "the model", model}, {kData, "the data", data}, {kConfig, "config.toml", config}};
  for (const auto& [key, name, now] : parts) {
    const auto found = checkpoint.metadata.find(key);
    if (found != checkpoint.metadata.end() && found->second == now) continue;
    throw InputError(
        {.file = file,
         .place = name,
         .expected = found == checkpoint.metadata.end()
                         ? "a checkpoint of crrm with " + std::string(key)
                         : "SHA-256 " + found->second,
         .found = found == checkpoint.metadata.end() ? "none" : "SHA-256 " + now,
         .hint =
             fmt::format("{} changed since the run began; put it back, or start a new run", name)});
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw WriteError({.file = folder.string(),
                      .expected = "a folder that can be made and written",
                      .found = error.message(),
                      .hint = "choose another folder with -o"});
}

std::string config_mark(const std::string& command) {
  return fmt::format("{} Again: crrm {} ", kConfigMark, command);
}

fs::path RunFolder::epoch(int64_t number) const {
  return epochs() / fmt::format("epoch-{:04}.onnx", number);
}

std::vector<fs::path> RunFolder::own_files() const {
  std::vector<fs::path> files = {model(),      description(),  weights(), path_ / "model.onnx.data",
                                 report(),     page(),         config(),  log(),
                                 checkpoint(), latency_model()};
  for (int64_t number = 0; fs::exists(epoch(number)); ++number) files.push_back(epoch(number));
  return files;
}

/// Nothing is replaced that crrm did not write.
void RunFolder::check_owner() const {
  const std::string written = fs::exists(config()) ? read_file(config()) : "";
  if (written.starts_with(kConfigMark)) return;
  for (const fs::path& file : own_files())
    if (fs::exists(file))
      throw InputError(
          {.file = path_.string(),
           .expected = "files of an earlier run, for --force to replace",
           .found = fmt::format("{}, which crrm did not write", fs::relative(file, path_).string()),
           .hint = "choose another folder with -o"});
}

void RunFolder::check_command(const std::string& command) const {
  if (!fs::exists(config())) return;
  const std::string written = read_file(config());
  if (written.starts_with(config_mark(command))) return;
  throw InputError({.file = path_.string(),
                    .expected = fmt::format("what an earlier crrm {} wrote", command),
                    .found = fmt::format("config.toml, which says \"{}\"",
                                         written.substr(0, written.find('\n'))),
                    .hint = "choose another folder with -o"});
}

void RunFolder::check(const std::vector<fs::path>& inputs, bool force, uint64_t needed) const {
  for (const fs::path& input : inputs) {
    if (same_file(input, path_)) refuse_input(input, path_);
    for (const fs::path& file : own_files())
      if (same_file(input, file)) refuse_input(input, file);
  }
  if (fs::is_directory(path_) && !fs::is_empty(path_) && !force)
    throw InputError({.file = path_.string(),
                      .expected = "an empty or new folder",
                      .found = "a folder with files in it",
                      .hint = "--force replaces the files of an earlier run; -o chooses another "
                              "folder"});
  check_owner();
  check_writable(path_);
  if (const uint64_t free = free_bytes(path_); free < needed)
    throw WriteError(
        {.file = path_.string(),
         .expected = fmt::format("{} of free disk", format_bytes(static_cast<double>(needed))),
         .found = format_bytes(static_cast<double>(free))});
}

void RunFolder::open() const {
  make_folder(checkpoint().parent_path());
  std::error_code error;
  for (const fs::path& file : own_files()) fs::remove(file, error);
  write_file(log(), "");
}

}  // namespace crrm
