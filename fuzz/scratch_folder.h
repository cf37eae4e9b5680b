// A folder for files that readers take by path.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace crrm::fuzz {

/// Makes a folder of its own under $TMPDIR and removes it at the end, unless the process is killed.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes, or replaces, a file; gives its path.
  std::filesystem::path write(const std::string& name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace crrm::fuzz
