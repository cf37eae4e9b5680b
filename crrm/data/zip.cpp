#include "crrm/data/zip.h"

#include <zlib.h>

#include "crrm/base/error.h"
#include "crrm/data/inflate.h"

namespace crrm {

namespace {

constexpr uint64_t kEndBytes = 22;      // end of central directory, without its comment
constexpr uint64_t kCentralBytes = 46;  // central header, without its names
constexpr uint64_t kLocalBytes = 30;    // local header, without its names
constexpr uint64_t kMostComment = 0xffff;
constexpr uint64_t kZip64 = 0xffffffff;  // "see the ZIP64 field"
constexpr uint32_t kStored = 0;
constexpr uint32_t kDeflated = 8;
constexpr uint64_t kMostRatio = 1032;  // of deflate: zlib, "Maximum Compression Factor"

}  // namespace

ZipArchive::ZipArchive(std::string bytes, std::string file)
    : bytes_(std::move(bytes)), file_(std::move(file)) {
  read_directory();
}

void ZipArchive::reject(std::string place, std::string expected, std::string found) const {
  throw InputError({.file = file_,
                    .place = std::move(place),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

/// Little-endian; the caller has checked that it lies inside.
uint64_t ZipArchive::number(uint64_t at, uint64_t width) const {
  uint64_t value = 0;
  for (uint64_t i = width; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes_[at + i]);
  return value;
}

uint64_t ZipArchive::find_end() const {
  if (bytes_.size() >= kEndBytes) {
    const uint64_t last = bytes_.size() - kEndBytes;
    const uint64_t first = last > kMostComment ? last - kMostComment : 0;
    for (uint64_t at = last + 1; at-- > first;)
      if (bytes_.compare(at, 4, "PK\5\6") == 0 && number(at + 20, 2) == last - at) return at;
  }
  reject("end", "a ZIP archive's end of central directory",
         fmt::format("none in {} bytes; the file may be cut off", bytes_.size()));
}

void ZipArchive::read_directory() {
  const uint64_t end = find_end();
  const uint64_t count = number(end + 10, 2);
  uint64_t at = number(end + 16, 4);
  for (uint64_t i = 0; i < count; ++i) {
    if (at > end || end - at < kCentralBytes || bytes_.compare(at, 4, "PK\1\2") != 0)
      reject(fmt::format("central directory, entry {} of {}", i, count),
             fmt::format("a header before byte {}", end), fmt::format("none at byte {}", at));
    entries_.push_back(read_entry(at, end));
    at += kCentralBytes + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
  }
}

ZipArchive::Entry ZipArchive::read_entry(uint64_t at, uint64_t end) const {
  const uint64_t length = number(at + 28, 2);
  if (length > end - at - kCentralBytes)
    reject(fmt::format("central directory, byte {}", at), "a name inside the directory",
           fmt::format("a name of {} bytes", length));
  const Entry entry{.name = bytes_.substr(at + kCentralBytes, length),
                    .method = static_cast<uint32_t>(number(at + 10, 2)),
                    .crc = static_cast<uint32_t>(number(at + 16, 4)),
                    .packed = number(at + 20, 4),
                    .unpacked = number(at + 24, 4),
                    .header = number(at + 42, 4)};
  if (number(at + 8, 2) & 1) reject(entry.name, "an entry without a password", "an encrypted one");
  if (entry.packed == kZip64 || entry.unpacked == kZip64 || entry.header == kZip64)
    reject(entry.name, "an entry below 4 GiB; larger arrays as a folder of .npy files", "ZIP64");
  if (entry.method != kStored && entry.method != kDeflated)
    reject(entry.name, "a stored or deflated entry", fmt::format("method {}", entry.method));
  const uint64_t most = entry.method == kStored ? entry.packed : entry.packed * kMostRatio;
  if (entry.packed > bytes_.size() || entry.unpacked > most)
    reject(entry.name, fmt::format("sizes that fit a file of {} bytes", bytes_.size()),
           fmt::format("{} bytes, {} when unpacked", entry.packed, entry.unpacked));
  return entry;
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

const ZipArchive::Entry* ZipArchive::find(const std::string& name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

bool ZipArchive::has(const std::string& name) const {
  return find(name) != nullptr;
}

uint64_t ZipArchive::data_offset(const Entry& entry) const {
  const uint64_t size = bytes_.size();
  if (entry.header > size || size - entry.header < kLocalBytes ||
      bytes_.compare(entry.header, 4, "PK\3\4") != 0)
    reject(entry.name, "a local header", fmt::format("none at byte {}", entry.header));
  const uint64_t first =
      entry.header + kLocalBytes + number(entry.header + 26, 2) + number(entry.header + 28, 2);
  if (first > size || size - first < entry.packed)
    reject(entry.name, fmt::format("{} bytes", entry.packed),
           fmt::format("{} until the end of the file", first > size ? 0 : size - first));
  return first;
}

std::string ZipArchive::extract(const std::string& name) const {
  const Entry* entry = find(name);
  if (!entry) reject("", name, fmt::format("{}", fmt::join(names(), ", ")));
  const std::string_view packed =
      std::string_view(bytes_).substr(data_offset(*entry), entry->packed);
  std::string content = entry->method == kStored
                            ? std::string(packed)
                            : inflate_raw(packed, entry->unpacked, file_, entry->name);
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (sum != entry->crc)
    reject(entry->name, fmt::format("CRC-32 {:08x}, as the directory says", entry->crc),
           fmt::format("{:08x}", sum));
  return content;
}

}  // namespace crrm
