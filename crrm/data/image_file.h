// One JPEG or PNG file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace crrm {

/// Pixels of an image at most, in a file or once it is resized: 16384 x 16384.
constexpr int64_t kMostPixels = int64_t{1} << 28;

/// Decodes an image by what its bytes are, whatever the file's name says: JPEG of 1 or 3 colour
/// components, PNG of up to 8 bits a channel. Grey levels and palettes become RGB; the Exif
/// orientation is applied; colour profiles and gamma are not. Memory is taken once the header has
/// been checked.
/// @param file names the image in errors.
/// @return [H, W, 3] uint8: red, green, blue; upright.
/// @throws InputError where the file is damaged or cut off, holds more than kMostPixels, CMYK, 16
/// bits a channel or transparent pixels, or is neither JPEG nor PNG.
at::Tensor decode_image(std::string_view bytes, const std::string& file);

}  // namespace crrm
