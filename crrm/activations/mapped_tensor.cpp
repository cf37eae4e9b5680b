#include "crrm/activations/mapped_tensor.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& folder, size_t bytes, int error) {
  throw WriteError(
      {.file = folder.string(),
       .place = "temporary file",
       .expected = fmt::format("room for {}", format_bytes(static_cast<double>(bytes))),
       .found = std::system_category().message(error),
       .hint = "TMPDIR chooses another folder; fewer --samples or more --memory need no file"});
}

/// A descriptor, closed in the end.
class UnnamedFile {
 public:
  explicit UnnamedFile(const fs::path& folder) {
    std::string name = (folder / "crrm-activations-XXXXXX").string();
    descriptor_ = mkstemp(name.data());
    if (descriptor_ >= 0) unlink(name.c_str());
  }
  ~UnnamedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

}  // namespace

at::Tensor mapped_tensor(int64_t rows, int64_t columns, const fs::path& folder) {
  const fs::path place = folder.empty() ? fs::temp_directory_path() : folder;
  const size_t bytes = sizeof(float) * static_cast<size_t>(rows) * static_cast<size_t>(columns);
  const UnnamedFile file(place);
  if (file.descriptor() < 0) refuse(place, bytes, errno);
  // All blocks now: a disk that is full later would end the program by a signal.
  if (const int error = posix_fallocate(file.descriptor(), 0, static_cast<off_t>(bytes)))
    refuse(place, bytes, error);
  void* data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor(), /*offset=*/0);
  if (data == MAP_FAILED) refuse(place, bytes, errno);
  return at::from_blob(
      data, {rows, columns}, [bytes](void* mapped) { munmap(mapped, bytes); },
      at::TensorOptions(at::kFloat));
}

}  // namespace crrm
