#include "fuzz/scratch_folder.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace crrm::fuzz {

ScratchFolder::ScratchFolder() {
  std::string name = std::filesystem::temp_directory_path() / "crrm_fuzz_XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path ScratchFolder::write(const std::string& name, std::string_view bytes) const {
  const std::filesystem::path file = path_ / name;
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + file.string());
  return file;
}

}  // namespace crrm::fuzz
