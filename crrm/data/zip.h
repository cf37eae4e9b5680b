// The part of ZIP that NumPy writes: stored and deflated entries below 4 GiB.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crrm {

/// A ZIP archive in memory. What its central directory says is checked before it is used.
/// Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory)
/// and 4.3.16 (end of central directory).
class ZipArchive {
 public:
  /// @throws InputError naming `file` and what of the directory is damaged or not supported.
  ZipArchive(std::string bytes, std::string file);

  std::vector<std::string> names() const;
  bool has(const std::string& name) const;
  /// @throws InputError where the entry is missing or damaged (CRC-32).
  std::string extract(const std::string& name) const;

 private:
  struct Entry {
    std::string name;
    uint32_t method = 0;
    uint32_t crc = 0;
    uint64_t packed = 0;    ///< bytes in the file
    uint64_t unpacked = 0;  ///< bytes after inflation
    uint64_t header = 0;    ///< offset of the local header
  };

  uint64_t number(uint64_t at, uint64_t width) const;
  uint64_t find_end() const;
  void read_directory();
  Entry read_entry(uint64_t at, uint64_t end) const;
  const Entry* find(const std::string& name) const;
  uint64_t data_offset(const Entry& entry) const;
  [[noreturn]] void reject(std::string place, std::string expected, std::string found) const;

  std::string bytes_;
  std::string file_;
  std::vector<Entry> entries_;
};

}  // namespace crrm
