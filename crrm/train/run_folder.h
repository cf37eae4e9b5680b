// The folder that a run writes: what lies where, and the checks before anything is written.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crrm/io/safetensors.h"

namespace crrm {

/// What a checkpoint belongs to: a resumed run must find the same.
struct Fingerprint {
  std::string command;  ///< "compress" or "train"
  std::string model;    ///< SHA-256, empty for a built-in architecture
  std::string data;     ///< SHA-256
  std::string config;   ///< SHA-256 of config.toml

  /// Puts itself into the metadata of a checkpoint.
  void stamp(TensorFile& checkpoint) const;
  /// @throws InputError naming what differs: model, data or config.
  void check(const TensorFile& checkpoint, const std::string& file) const;
};

/// With all folders above it. @throws WriteError with the system's reason.
void make_folder(const std::filesystem::path& folder);

/// How a run's config.toml begins: crrm wrote the folder.
inline constexpr char kConfigMark[] = "# Every value of this run.";
/// The same with the command that wrote it.
std::string config_mark(const std::string& command);

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path model() const { return path_ / "model.onnx"; }
  std::filesystem::path description() const { return path_ / "model.json"; }
  std::filesystem::path weights() const { return path_ / "model.safetensors"; }
  std::filesystem::path report() const { return path_ / "report.json"; }
  std::filesystem::path page() const { return path_ / "report.html"; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path log() const { return path_ / "log.jsonl"; }
  std::filesystem::path latency_model() const { return path_ / "latency-model.json"; }
  std::filesystem::path epochs() const { return path_ / "epochs"; }
  /// The network after so many epochs, for crrm measure --checkpoints.
  std::filesystem::path epoch(int64_t number) const;
  std::filesystem::path checkpoint() const { return path_ / "checkpoint" / "state.safetensors"; }

  /// Checks that a run may write here, and changes nothing.
  /// @param inputs  files and folders that the run reads: none may be the folder or a file in it
  ///                that the run would replace, compared by inode
  /// @param force   allow a folder that is not empty, as long as the files that would be replaced
  ///                are an earlier run's
  /// @param needed  bytes that the run will write, about
  /// @throws InputError; WriteError where the folder cannot be written or the disk is full.
  void check(const std::vector<std::filesystem::path>& inputs, bool force, uint64_t needed) const;

  /// For a command that writes a report alone: with --force it replaces one of its own, and never
  /// puts it beside the model and the checkpoint of a run.
  /// @throws InputError where the folder's config.toml is another command's.
  void check_command(const std::string& command) const;

  /// Makes the folder, tries a file in it, and removes what an earlier run of crrm left there.
  /// @throws WriteError.
  void open() const;

 private:
  std::vector<std::filesystem::path> own_files() const;
  void check_owner() const;

  std::filesystem::path path_;
};

/// Whether both exist and are one file or folder, however they are spelt.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace crrm
