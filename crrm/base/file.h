// Whole files: read, written by rename, hashed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace crrm {

/// @throws InputError where `path` is missing, a folder or not readable.
std::string read_file(const std::filesystem::path& path);

/// Writes beside `path`, syncs and renames: `path` holds its old content or all of the new one.
/// A symbolic link stays one; an existing file's permissions are kept.
/// @throws WriteError with the system's reason; nothing is left beside `path` then.
void write_file(const std::filesystem::path& path, std::string_view content);

/// SHA-256 as 64 lower-case hexadecimal digits; the file is read in blocks.
/// @throws InputError as read_file.
std::string sha256_file(const std::filesystem::path& path);
std::string sha256_text(std::string_view text);

/// Bytes that this user may still write on the file system of `path`, which need not exist yet.
/// @throws InputError where no folder above `path` exists either.
uint64_t free_bytes(const std::filesystem::path& path);

}  // namespace crrm
