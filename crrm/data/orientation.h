// Which way up a camera held an image.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace crrm {

/// The orientation that Exif metadata state, 1 to 8; 1 (upright) where they state none or 0.
/// Source: CIPA DC-008 (Exif 2.32), sections 4.5 (structure) and 4.6.4 (Orientation, tag 0x0112).
/// @param exif a TIFF header and its directories: what follows "Exif\0\0" in a JPEG file's APP1
/// segment, or the content of a PNG file's eXIf chunk; empty where there is none.
/// @throws InputError where the metadata are damaged.
int exif_orientation(std::string_view exif, const std::string& file);

/// The Exif metadata of a JPEG file; empty where it has none.
std::string_view jpeg_exif(std::string_view bytes);

/// Turns and mirrors stored pixels so that the image stands upright.
/// @param pixels      [H, W, C]
/// @param orientation 1 to 8; 5 to 8 exchange height and width.
/// @return a view [H, W, C] or [W, H, C].
at::Tensor upright(const at::Tensor& pixels, int orientation);

}  // namespace crrm
