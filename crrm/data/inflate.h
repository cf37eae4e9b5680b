// Deflated bytes of files that nobody vouches for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crrm {

/// Whether the bytes begin as a gzip file does.
bool is_gzip(std::string_view bytes);

/// Unpacks all members of a gzip file.
/// @param limit bytes that may come out.
/// @throws InputError where the stream is cut off, damaged, or larger than the limit.
std::string gunzip(std::string_view bytes, uint64_t limit, const std::string& file);

/// Unpacks a raw deflate stream of known size. Memory grows with what really comes out.
/// @throws InputError as gunzip, and where the size differs.
std::string inflate_raw(std::string_view bytes, uint64_t size, const std::string& file,
                        const std::string& place);

}  // namespace crrm
