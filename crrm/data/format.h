// How a format of data makes itself known.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crrm/data/dataset.h"

namespace crrm {

/// What a format found on disk, before the checks that all formats share.
struct RawData {
  Dataset train;
  Dataset test;         ///< inputs undefined where the format found none
  bool single = false;  ///< one set without a division: load_data splits the test part off
};

struct Format {
  std::string name;
  std::string look;  ///< what lies on disk, as the list of formats in an error shows it
  std::function<bool(const std::filesystem::path&)> matches;
  std::function<RawData(const std::filesystem::path&, const DataOptions&)> load;
};

/// A static one of these in a format's source file makes load_data know the format.
struct FormatRegistration {
  explicit FormatRegistration(Format format);
};

/// Reads files and keeps the sum that Dataset::sha256 shows.
class HashedFiles {
 public:
  /// The file's bytes. @throws InputError where it is not readable.
  std::string read(const std::filesystem::path& path);
  /// A file that was read elsewhere.
  void add(std::string name, std::string sum);
  std::string sha256() const;

 private:
  std::vector<std::pair<std::string, std::string>> sums_;  ///< name, sum
};

}  // namespace crrm
