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
TensorFile read_safetensors(const std::filesystem::path& path);
void write_safetensors(const TensorFile& file, const std::filesystem::path& path);
}  // namespace crrm
