#include "crrm/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "crrm/base/error.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

/// A file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  /// Closes now and tells whether that worked: a full disk may show only here.
  bool close() {
    const int number = number_;
    number_ = -1;
    return ::close(number) == 0;
  }

 private:
  int number_;
};

[[noreturn]] void reject(const fs::path& path, const std::string& found) {
  throw InputError({.file = path.string(), .expected = "a readable file", .found = found});
}

[[noreturn]] void fail(const fs::path& path, const char* step, int error) {
  throw WriteError({.file = path.string(),
                    .expected = "to write the file",
                    .found = fmt::format("{}: {}", step, std::strerror(error))});
}

ssize_t read_block(int descriptor, char* data, size_t size) {
  ssize_t got = -1;
  do {
    got = ::read(descriptor, data, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

/// Calls `take` with each block of the file.
void read_blocks(const fs::path& path, const std::function<void(std::string_view)>& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) reject(path, std::strerror(errno));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) reject(path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) reject(path, "a folder");
  std::vector<char> block(kBlockBytes);
  for (;;) {
    const ssize_t got = read_block(file.number(), block.data(), block.size());
    if (got < 0) reject(path, std::strerror(errno));
    if (got == 0) return;
    take({block.data(), static_cast<size_t>(got)});
  }
}

/// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(descriptor, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    content.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

/// Removes the file beside the target unless the rename took it.
class Leftover {
 public:
  explicit Leftover(fs::path path) : path_(std::move(path)) {}
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  ~Leftover() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  void taken() { path_.clear(); }

 private:
  fs::path path_;
};

/// Makes the rename itself last. Some file systems cannot sync a folder: no fault of the file's.
void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.number() >= 0) ::fsync(descriptor.number());
}

/// The file that a write is to replace: symbolic links are followed, and what is not a regular file
/// is refused, since the rename would put one in the place of a folder or device.
fs::path resolve_target(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return path;
  const fs::path target = fs::canonical(path, error);
  if (error) fail(path, "open", error.value());
  if (!fs::is_regular_file(target)) fail(path, "open", fs::is_directory(target) ? EISDIR : EINVAL);
  return target;
}

/// Creates a new file in `folder`, of the mode that any new file gets, and gives its descriptor, or
/// -1 with errno. Its name is short, however long the target's is.
int create_beside(const fs::path& folder, fs::path& name) {
  constexpr int kAttempts = 1000;  // leftovers of processes that were killed
  int descriptor = -1;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    name = folder / fmt::format(".crrm-{}-{}.tmp", ::getpid(), attempt);
    descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return descriptor;
}

/// The replaced file's permissions go to the new one.
bool copy_mode(const fs::path& from, int descriptor) {
  struct stat status {};
  return ::stat(from.c_str(), &status) != 0 || ::fchmod(descriptor, status.st_mode & 0777) == 0;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw InternalError("OpenSSL offers no SHA-256");
  }
  void add(std::string_view text) {
    if (EVP_DigestUpdate(context_.get(), text.data(), text.size()) != 1)
      throw InternalError("OpenSSL's SHA-256 failed");
  }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1)
      throw InternalError("OpenSSL's SHA-256 failed");
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string read_file(const fs::path& path) {
  std::string content;
  read_blocks(path, [&](std::string_view block) { content += block; });
  return content;
}

void write_file(const fs::path& path, std::string_view content) {
  const fs::path target = resolve_target(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  fs::path name;
  Descriptor file(create_beside(folder, name));
  if (file.number() < 0) fail(path, "open", errno);
  Leftover leftover(name);
  if (const int error = write_all(file.number(), content); error != 0) fail(path, "write", error);
  if (!copy_mode(target, file.number())) fail(path, "chmod", errno);
  if (::fsync(file.number()) != 0) fail(path, "fsync", errno);
  if (!file.close()) fail(path, "close", errno);
  if (::rename(name.c_str(), target.c_str()) != 0) fail(path, "rename", errno);
  leftover.taken();
  sync_folder(folder);
}

std::string sha256_file(const fs::path& path) {
  Sha256 hash;
  read_blocks(path, [&](std::string_view block) { hash.add(block); });
  return hash.hex();
}

std::string sha256_text(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.hex();
}

uint64_t free_bytes(const fs::path& path) {
  std::error_code error;
  fs::path folder = fs::absolute(path);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error)
    throw InputError({.file = path.string(), .expected = "a folder", .found = error.message()});
  return space.available;
}

}  // namespace crrm
