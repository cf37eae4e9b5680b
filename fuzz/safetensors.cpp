// Safetensors files. What is read is the same when it was written and read again.
#include "crrm/io/safetensors.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

namespace {

/// Bit by bit: a NaN equals itself.
bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 || std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0);
}

void check_round_trip(const TensorFile& read, const ScratchFolder& folder) {
  const std::filesystem::path path = folder.path() / "written.safetensors";
  write_safetensors(read, path);
  const TensorFile back = read_safetensors(path);
  bool equal = back.metadata == read.metadata && back.tensors.size() == read.tensors.size();
  for (const auto& [name, tensor] : read.tensors)
    equal = equal && back.tensors.contains(name) && same(tensor, back.tensors.at(name));
  if (equal) return;
  std::cerr << "fuzz: " << path << " holds something else than was written\n";
  std::abort();
}

}  // namespace

void test(std::string_view bytes) {
  static const ScratchFolder folder;
  const std::filesystem::path file = folder.write("model.safetensors", bytes);
  std::optional<TensorFile> read;
  {
    const AllocationLimit limit(bytes.size(), kMapped);
    read = answer([&] { return read_safetensors(file); });
  }
  if (read) check_round_trip(*read, folder);
}

}  // namespace crrm::fuzz
