// A tensor that lies in a file, for activations that memory does not hold.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace crrm {

/// [rows, columns] float32 zeros in a file without a name, which is gone with the tensor.
/// @param folder  of the file; empty: the system's for temporary files
/// @throws WriteError where the folder cannot be written or has no room.
at::Tensor mapped_tensor(int64_t rows, int64_t columns, const std::filesystem::path& folder = {});

}  // namespace crrm
