// A folder as Linux's /sys/class/powercap, for tests.
#pragma once

#include <filesystem>
#include <string>

#include "crrm/base/file.h"

namespace crrm::test {

class Powercap {
 public:
  explicit Powercap(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Powercap() { std::filesystem::remove_all(path_); }
  Powercap(const Powercap&) = delete;
  Powercap& operator=(const Powercap&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void add(const std::string& folder, const std::string& name, uint64_t microjoules,
           uint64_t range = 1'000'000'000) {
    std::filesystem::create_directories(path_ / folder);
    write_file(path_ / folder / "name", name + "\n");
    write_file(path_ / folder / "max_energy_range_uj", std::to_string(range) + "\n");
    set(folder, microjoules);
  }
  void set(const std::string& folder, uint64_t microjoules) {
    write_file(path_ / folder / "energy_uj", std::to_string(microjoules) + "\n");
  }

 private:
  std::filesystem::path path_;
};

}  // namespace crrm::test
