#include "crrm/data/image_file.h"

#include <spng.h>
#include <turbojpeg.h>

#include "crrm/base/error.h"
#include "crrm/data/orientation.h"

namespace crrm {

namespace {

constexpr std::string_view kJpegStart = "\xff\xd8\xff";
constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
// Pixels that a byte of a file can stand for. JPEG: a block of 8 x 8 takes one bit or more, as
// every Huffman code does (ITU-T T.81, annex F). PNG: a bit each, and deflate's ratio of 1032
// (zlib, "Maximum Compression Factor").
constexpr int64_t kJpegPixels = 512;
constexpr int64_t kPngPixels = 8 * 1032;
constexpr size_t kMostMetadata = size_t{1} << 26;  // bytes of a PNG file's chunks beside the pixels

using JpegDecoder = std::unique_ptr<void, int (*)(tjhandle)>;
using PngDecoder = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

[[noreturn]] void reject(const std::string& file, const std::string& expected,
                         const std::string& found, const std::string& hint = {}) {
  throw InputError({.file = file, .expected = expected, .found = found, .hint = hint});
}

/// @param most  pixels that the file's bytes can hold
void check_pixels(int64_t height, int64_t width, int64_t most, const std::string& file) {
  if (height < 1 || width < 1 || height > kMostPixels / width)
    reject(file, fmt::format("an image of 1 to {} pixels", kMostPixels),
           fmt::format("{} x {} (height x width), as its header says", height, width));
  if (height * width > most)
    reject(file, fmt::format("at most {} pixels, as the file's bytes can hold", most),
           fmt::format("{} x {} (height x width), as its header says", height, width));
}

/// Any complaint of the library ends in an error: pixels that it made up are no data.
void check_jpeg(int status, const JpegDecoder& decoder, const std::string& file) {
  if (status != 0) reject(file, "a whole JPEG file", tjGetErrorStr2(decoder.get()));
}

/// @return [H, W, 3], as stored.
at::Tensor decode_jpeg(std::string_view bytes, const std::string& file) {
  const JpegDecoder decoder(tjInitDecompress(), &tjDestroy);
  if (!decoder) throw InternalError("TurboJPEG gives no decoder");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, sampling = 0, colours = 0;
  check_jpeg(tjDecompressHeader3(decoder.get(), data, size, &width, &height, &sampling, &colours),
             decoder, file);
  check_pixels(height, width, kJpegPixels * static_cast<int64_t>(bytes.size()), file);
  if (colours == TJCS_CMYK || colours == TJCS_YCCK)
    reject(file, "a JPEG file of grey levels or RGB", "CMYK", "convert it to RGB");
  at::Tensor pixels = at::empty({height, width, 3}, at::kByte);
  check_jpeg(tjDecompress2(decoder.get(), data, size, pixels.data_ptr<uint8_t>(), width,
                           /*pitch=*/0, height, TJPF_RGB, TJFLAG_LIMITSCANS),
             decoder, file);
  return pixels;
}

void check_png(int status, const std::string& file) {
  if (status != SPNG_OK) reject(file, "a whole PNG file", spng_strerror(status));
}

PngDecoder open_png(std::string_view bytes, const std::string& file) {
  PngDecoder decoder(spng_ctx_new(0), &spng_ctx_free);
  if (!decoder) throw InternalError("libspng gives no decoder");
  check_png(spng_set_crc_action(decoder.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), file);
  // Whatever their headers say: chunks are not longer than the file, and inflate so far only.
  constexpr size_t kInflation = 64, kAlways = size_t{1} << 20;
  const size_t longest = std::min(kMostMetadata, bytes.size());
  const size_t all = std::min(kMostMetadata, std::max(kAlways, kInflation * bytes.size()));
  check_png(spng_set_chunk_limits(decoder.get(), longest, all), file);
  check_png(spng_set_png_buffer(decoder.get(), bytes.data(), bytes.size()), file);
  return decoder;
}

spng_ihdr read_png_header(const PngDecoder& decoder, size_t size, const std::string& file) {
  spng_ihdr header{};
  check_png(spng_get_ihdr(decoder.get(), &header), file);
  check_pixels(header.height, header.width, kPngPixels * static_cast<int64_t>(size), file);
  if (header.bit_depth > 8)
    reject(file, "a PNG file of up to 8 bits a channel", fmt::format("{} bits", header.bit_depth),
           "convert it to 8 bits, or give the values as a NumPy array");
  return header;
}

/// The eXIf chunk, which may follow the pixels; empty where there is none.
std::string_view png_exif(const PngDecoder& decoder, const std::string& file) {
  check_png(spng_decode_chunks(decoder.get()), file);
  spng_exif exif{};
  const int status = spng_get_exif(decoder.get(), &exif);
  if (status == SPNG_ECHUNKAVAIL) return {};
  check_png(status, file);
  return {exif.data, exif.length};
}

/// What a transparent pixel is seen as depends on the ground that it lies on, which no file states.
void require_opaque(const at::Tensor& alpha, const std::string& file) {
  if (!alpha.eq(255).all().item<bool>())
    reject(file, "opaque pixels",
           fmt::format("transparent ones (alpha down to {})", alpha.min().item<int>()),
           "lay the image on a ground of your choice");
}

/// @return [H, W, 3], as stored.
at::Tensor decode_png(const PngDecoder& decoder, size_t size, const std::string& file) {
  const spng_ihdr header = read_png_header(decoder, size, file);
  const at::Tensor pixels = at::empty({header.height, header.width, 4}, at::kByte);  // RGBA
  check_png(spng_decode_image(decoder.get(), pixels.data_ptr(), static_cast<size_t>(pixels.numel()),
                              SPNG_FMT_RGBA8, SPNG_DECODE_TRNS),
            file);
  require_opaque(pixels.select(2, 3), file);
  return pixels.narrow(2, 0, 3);
}

std::string describe_start(std::string_view bytes) {
  std::string text = fmt::format("{} bytes", bytes.size());
  if (bytes.empty()) return text;
  text += " that begin";
  for (const char byte : bytes.substr(0, 4))
    text += fmt::format(" {:02x}", static_cast<uint8_t>(byte));
  return text;
}

}  // namespace

at::Tensor decode_image(std::string_view bytes, const std::string& file) {
  if (bytes.starts_with(kJpegStart))
    return upright(decode_jpeg(bytes, file), exif_orientation(jpeg_exif(bytes), file));
  if (bytes.starts_with(kPngStart)) {
    const PngDecoder decoder = open_png(bytes, file);
    const at::Tensor pixels = decode_png(decoder, bytes.size(), file);
    return upright(pixels, exif_orientation(png_exif(decoder, file), file));
  }
  reject(file, "a JPEG or PNG file", describe_start(bytes));
}

}  // namespace crrm
