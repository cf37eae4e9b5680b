// Random projection of wide layers, which keeps distances.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace crrm {

/// What a layer is projected to at most where a measure allows it: distances are kept with a
/// relative error of sqrt(1 / (2 * 4096)) = 1.1 % (standard deviation).
inline constexpr int64_t kMostFeatures = 4096;

/// Rows times a sparse random matrix with `kSigns` signs of size kSigns^-1/2 in each row, one in
/// each of as many blocks of columns: |x A|^2 has mean |x|^2 and variance at most 2 |x|^4 /
/// columns.
/// @param rows  [n, d] float32
/// @return [n, columns] float32; `rows` itself where d <= columns
/// Source: Kane & Nelson, "Sparser Johnson-Lindenstrauss transforms", J. ACM 61 (2014), the block
/// construction (section 3).
at::Tensor project(const at::Tensor& rows, int64_t columns, uint64_t seed);

}  // namespace crrm
