// log.jsonl: what a run did, one JSON object a line.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json_fwd.hpp>

namespace crrm {

/// Appends to a file; each line is flushed, so that a run that ends early leaves all it wrote.
class JsonLog {
 public:
  /// Opens `path` at its end, creating it where missing. @throws WriteError.
  explicit JsonLog(const std::filesystem::path& path);

  /// @param entry an object; texts that are not UTF-8 and numbers that are not finite become
  /// U+FFFD and null. @throws WriteError; InternalError where `entry` is no object.
  void write(const nlohmann::ordered_json& entry);

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace crrm
