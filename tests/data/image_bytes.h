// Image files made in memory by the encoders of libspng and TurboJPEG, and values to fill them.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <spng.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace crrm {

/// [H, W, C] uint8: no two neighbours are alike.
inline at::Tensor pattern(int64_t height, int64_t width, int64_t channels = 3, int64_t seed = 0) {
  return ((at::arange(height * width * channels) + seed) * 37 % 256)
      .to(at::kByte)
      .view({height, width, channels});
}

struct PngStyle {
  spng_color_type colours = SPNG_COLOR_TYPE_TRUECOLOR;
  uint8_t bits = 8;                            ///< a channel; 16 takes the values as int16
  std::function<void(spng_ctx*)> chunks = {};  ///< sets more chunks
};

/// @param values [H, W, C], as the style stores them.
inline std::string png(const at::Tensor& values, const PngStyle& style = {}) {
  const at::Tensor pixels = values.contiguous();
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> encoder(spng_ctx_new(SPNG_CTX_ENCODER),
                                                               &spng_ctx_free);
  spng_set_option(encoder.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.height = static_cast<uint32_t>(pixels.size(0));
  header.width = static_cast<uint32_t>(pixels.size(1));
  header.bit_depth = style.bits;
  header.color_type = static_cast<uint8_t>(style.colours);
  spng_set_ihdr(encoder.get(), &header);
  if (style.chunks) style.chunks(encoder.get());
  int error = spng_encode_image(encoder.get(), pixels.const_data_ptr(), pixels.nbytes(),
                                SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  size_t size = 0;
  void* data = error == SPNG_OK ? spng_get_png_buffer(encoder.get(), &size, &error) : nullptr;
  EXPECT_EQ(error, SPNG_OK) << spng_strerror(error);
  std::string bytes(static_cast<const char*>(data), size);
  std::free(data);
  return bytes;
}

/// @param values [H, W, C] uint8 of 1 (grey), 3 (RGB) or 4 channels (CMYK).
inline std::string jpeg(const at::Tensor& values) {
  const at::Tensor pixels = values.contiguous();
  const int64_t channels = pixels.size(2);
  const TJPF format = channels == 1 ? TJPF_GRAY : channels == 3 ? TJPF_RGB : TJPF_CMYK;
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), &tjDestroy);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int status =
      tjCompress2(encoder.get(), pixels.const_data_ptr<uint8_t>(), static_cast<int>(pixels.size(1)),
                  0, static_cast<int>(pixels.size(0)), format, &data, &size,
                  channels == 1 ? TJSAMP_GRAY : TJSAMP_444, /*jpegQual=*/100, /*flags=*/0);
  EXPECT_EQ(status, 0) << tjGetErrorStr2(encoder.get());
  std::string bytes(reinterpret_cast<const char*>(data), size);
  tjFree(data);
  return bytes;
}

inline std::string big_endian(uint64_t value, size_t width) {
  std::string bytes(width, '\0');
  for (size_t i = 0; i < width; ++i, value >>= 8) bytes[width - 1 - i] = static_cast<char>(value);
  return bytes;
}

/// A chunk of a PNG file: length, type, content, CRC-32 of type and content.
inline std::string png_chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
  return big_endian(content.size(), 4) + checked + big_endian(sum, 4);
}

/// A PNG file that is a header alone, of 8-bit RGB.
inline std::string png_header(uint32_t height, uint32_t width) {
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) +
                                                     std::string("\x08\x02\0\0\0", 5));
}

/// Exif metadata of one directory with one entry. @param order "II" or "MM".
inline std::string exif(int orientation, const std::string& order = "MM", int type = 3,
                        int tag = 0x0112) {
  const auto number = [&](uint64_t value, size_t width) {
    const std::string bytes = big_endian(value, width);
    return order == "MM" ? bytes : std::string(bytes.rbegin(), bytes.rend());
  };
  return order + number(42, 2) + number(8, 4) + number(1, 2) +
         number(static_cast<uint64_t>(tag), 2) + number(static_cast<uint64_t>(type), 2) +
         number(1, 4) + number(static_cast<uint64_t>(orientation), 2) + number(0, 2) + number(0, 4);
}

/// A segment of a JPEG file, put behind its first marker.
inline std::string with_segment(const std::string& jpeg_file, char marker,
                                const std::string& content) {
  return jpeg_file.substr(0, 2) + '\xff' + marker + big_endian(content.size() + 2, 2) + content +
         jpeg_file.substr(2);
}

}  // namespace crrm
