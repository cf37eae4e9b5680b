// Tensors as the bytes that files hold: row-major, little-endian.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace crrm {

/// Bytes of a tensor of `dims`; none where an extent is negative, the rank exceeds ATen's 64 or
/// the number overflows.
std::optional<int64_t> tensor_bytes(const std::vector<int64_t>& dims, at::ScalarType type);

/// A copy of `bytes`, which must be tensor_bytes(dims, type) many. Undefined where a bool is
/// neither 0 nor 1.
at::Tensor tensor_of(std::string_view bytes, const std::vector<int64_t>& dims, at::ScalarType type);

/// On the CPU, contiguous, without its history.
at::Tensor plain(const at::Tensor& tensor);

/// The bytes of a plain tensor, as long as it lives.
std::string_view bytes_of(const at::Tensor& plain);

}  // namespace crrm
