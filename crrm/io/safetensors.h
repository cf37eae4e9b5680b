// Safetensors files: named tensors and texts. Source of the format: huggingface/safetensors,
// README.md.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace crrm {

struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Adds tensors (detached, contiguous) under names that begin so; and those of a file, without it.
void add_prefixed(TensorFile& file, const std::string& prefix,
                  const std::map<std::string, at::Tensor>& tensors);
std::map<std::string, at::Tensor> with_prefix(const TensorFile& file, const std::string& prefix);

/// @throws InputError where the file is damaged: header, type, shape, or tensors that overlap,
/// leave a gap or do not end with the file.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes beside `path`, syncs and renames. Equal files give equal bytes.
/// @throws WriteError when it cannot be written.
void write_safetensors(const TensorFile& file, const std::filesystem::path& path);

}  // namespace crrm
