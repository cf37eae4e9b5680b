#include "crrm/base/log.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw WriteError(
      {.file = path.string(), .expected = "to append to the log", .found = std::strerror(errno)});
}

}  // namespace

JsonLog::JsonLog(const std::filesystem::path& path)
    : path_(path), stream_(path, std::ios::app | std::ios::binary) {
  if (!stream_) fail(path_);
}

void JsonLog::write(const nlohmann::ordered_json& entry) {
  if (!entry.is_object()) throw InternalError("a log entry must be a JSON object");
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  const std::string line = entry.dump(-1, ' ', false, replace) + "\n";
  stream_.write(line.data(), static_cast<std::streamsize>(line.size())).flush();
  if (!stream_) fail(path_);
}

}  // namespace crrm
