#include "fuzz/allocation_limit.h"

#include <sanitizer/allocator_interface.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace crrm::fuzz {

namespace {

constexpr size_t kNone = std::numeric_limits<size_t>::max();

// The allocator's hook can reach nothing but globals.
std::atomic<size_t> most{kNone};    // bytes of one allocation
std::atomic<size_t> inflatable{0};  // what `most` grows with

void check(const volatile void*, size_t size) {
  const size_t limit = most.load();
  if (size <= limit) return;
  most = kNone;  // the report allocates, too
  std::fprintf(stderr, "fuzz: an allocation of %zu bytes, where the file justifies %zu\n", size,
               limit);
  std::abort();
}

void ignore(const volatile void*) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(&check, &ignore);

}  // namespace

AllocationLimit::AllocationLimit(size_t file, size_t buffers) {
  if (installed == 0) std::abort();
  inflatable = file;
  most = std::max(buffers, kFactor * file);
}

AllocationLimit::~AllocationLimit() {
  most = kNone;
}

namespace {

void count_inflated(size_t bytes) {
  const size_t limit = most.load();
  if (limit == kNone) return;
  inflatable += bytes;
  most = std::max(limit, kFactor * inflatable.load());
}

}  // namespace

}  // namespace crrm::fuzz

// The linker hands every call of zlib's inflate to this one (cmake/fuzz.cmake, --wrap).
extern "C" {

int __real_inflate(z_streamp stream, int flush);

int __wrap_inflate(z_streamp stream, int flush) {
  const uLong before = stream->total_out;
  const int status = __real_inflate(stream, flush);
  crrm::fuzz::count_inflated(stream->total_out - before);
  return status;
}

}  // extern "C"
