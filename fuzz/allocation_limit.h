// A file's size bounds what reading it may allocate: a header that lies must not cost memory.
#pragma once

#include <cstddef>

namespace crrm::fuzz {

inline constexpr size_t kFactor = 64;

/// Ends the process at a single allocation, by whomever, of more than the greater of `buffers` and
/// kFactor times the file's bytes, as long as it lives. Deflated parts of the file count with the
/// bytes that zlib has made of them so far, since these are the file as far as their reader goes.
class AllocationLimit {
 public:
  /// @param file     bytes of the file
  /// @param buffers  bytes that the reader takes whatever the file holds
  AllocationLimit(size_t file, size_t buffers);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

/// Of files that are mapped: what errors and ATen's tables need.
inline constexpr size_t kMapped = size_t{1} << 16;
/// Of files that are read or inflated in blocks: one block.
inline constexpr size_t kBlocks = size_t{1} << 20;

}  // namespace crrm::fuzz
