#include "crrm/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crrm/base/error.h"

namespace crrm {

namespace {

[[noreturn]] void reject(const std::filesystem::path& path, const std::string& found) {
  throw InputError({.file = path.string(), .expected = "a readable file", .found = found});
}

/// The bytes behind an open descriptor; the mapping outlives it.
std::string_view map(const std::filesystem::path& path, int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) reject(path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) reject(path, "a folder");
  if (!S_ISREG(status.st_mode)) reject(path, "a pipe or device");
  const size_t size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (address == MAP_FAILED) reject(path, std::strerror(errno));
  return {static_cast<const char*>(address), size};
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // A pipe would block the opening; the check of its kind needs it open.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) reject(path, std::strerror(errno));
  try {
    bytes_ = map(path, descriptor);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace crrm
