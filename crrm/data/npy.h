// One array of NumPy.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace crrm {

/// Reads an .npy file of version 1 or 2: little-endian u1, i4, i8, f4 or f8 in C order.
/// Source: numpy.lib.format, "Format specification".
/// @param file,place name the array in errors.
/// @return uint8, int32, int64, float32 or float64, as stored; owns its memory.
/// @throws InputError naming what is damaged or not supported.
at::Tensor parse_npy(std::string_view bytes, const std::string& file, const std::string& place);

}  // namespace crrm
