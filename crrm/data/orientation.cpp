#include "crrm/data/orientation.h"

#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShortType = 3;
constexpr uint32_t kTiffVersion = 42;
constexpr uint64_t kHeaderBytes = 8;
constexpr uint64_t kEntryBytes = 12;

/// The numbers of a TIFF structure, in the byte order that it states.
class Tiff {
 public:
  Tiff(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {
    const std::string_view order = bytes.substr(0, 2);
    little_ = order == "II";
    if ((!little_ && order != "MM") || number(2, 2) != kTiffVersion)
      reject("a TIFF header, II or MM and 42", "another");
  }

  /// @param width bytes, 1 to 4.
  uint32_t number(uint64_t at, uint64_t width) const {
    if (at > bytes_.size() || bytes_.size() - at < width)
      reject(fmt::format("{} bytes at byte {}", width, at),
             fmt::format("{} bytes of metadata", bytes_.size()));
    uint32_t value = 0;
    for (uint64_t i = 0; i < width; ++i)
      value = value << 8 | static_cast<uint8_t>(bytes_[at + (little_ ? width - 1 - i : i)]);
    return value;
  }

  [[noreturn]] void reject(const std::string& expected, const std::string& found) const {
    throw InputError({.file = file_,
                      .place = "Exif metadata",
                      .expected = expected,
                      .found = found,
                      .hint = "save the image anew, without metadata"});
  }

 private:
  std::string_view bytes_;
  std::string file_;
  bool little_ = true;
};

int read_orientation(const Tiff& tiff, uint64_t entry) {
  const uint32_t type = tiff.number(entry + 2, 2);
  const uint32_t value = tiff.number(entry + 8, 2);
  if (type != kShortType || value > 8)
    tiff.reject("an orientation from 1 to 8, of type 3",
                fmt::format("{}, of type {}", value, type));
  return value == 0 ? 1 : static_cast<int>(value);
}

}  // namespace

int exif_orientation(std::string_view exif, const std::string& file) {
  if (exif.empty()) return 1;
  const Tiff tiff(exif, file);
  const uint64_t directory = tiff.number(kHeaderBytes - 4, 4);
  const uint64_t count = tiff.number(directory, 2);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.number(entry, 2) == kOrientationTag) return read_orientation(tiff, entry);
  }
  return 1;
}

std::string_view jpeg_exif(std::string_view bytes) {
  constexpr std::string_view kName("Exif\0\0", 6);
  constexpr uint8_t kApp1 = 0xe1;
  constexpr uint8_t kStartOfScan = 0xda;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  for (size_t at = 2; at + 4 <= bytes.size() && byte(at) == 0xff;) {
    const uint8_t marker = byte(at + 1);
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    const size_t length = static_cast<size_t>(byte(at + 2)) << 8 | byte(at + 3);
    if (marker == kStartOfScan || length < 2) break;
    const std::string_view segment = bytes.substr(at + 4, length - 2);
    if (marker == kApp1 && segment.starts_with(kName)) return segment.substr(kName.size());
    at += 2 + length;
  }
  return {};
}

at::Tensor upright(const at::Tensor& pixels, int orientation) {
  switch (orientation) {
    case 2:
      return pixels.flip({1});
    case 3:
      return pixels.flip({0, 1});
    case 4:
      return pixels.flip({0});
    case 5:
      return pixels.transpose(0, 1);
    case 6:
      return pixels.transpose(0, 1).flip({1});
    case 7:
      return pixels.transpose(0, 1).flip({0, 1});
    case 8:
      return pixels.transpose(0, 1).flip({0});
    default:
      return pixels;
  }
}

}  // namespace crrm
