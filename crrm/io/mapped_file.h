// A file's bytes, without a copy of them in memory.
#pragma once

#include <filesystem>
#include <string_view>

namespace crrm {

/// Maps a regular file for reading as long as it lives.
class MappedFile {
 public:
  /// @throws InputError where `path` is missing, not a regular file or not readable.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace crrm
