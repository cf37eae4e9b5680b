// ONNX models. What is read and can be written is read back, and written to the same bytes.
#include "crrm/io/onnx.h"

#include <cstdlib>
#include <iostream>

#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

namespace {

void check_round_trip(const std::string& written, const ScratchFolder& folder) {
  const std::filesystem::path file = folder.write("written.onnx", written);
  const AllocationLimit limit(written.size(), kMapped);
  try {
    if (onnx_bytes(read_onnx(file)) == written) return;
    std::cerr << "fuzz: reading " << file << " and writing it again gives other bytes\n";
  } catch (const InputError& error) {
    std::cerr << "fuzz: what was written is refused: " << error.what() << "\n";
  }
  std::abort();
}

}  // namespace

void test(std::string_view bytes) {
  static const ScratchFolder folder;
  const std::filesystem::path file = folder.write("model.onnx", bytes);
  std::optional<std::string> written;
  {
    const AllocationLimit limit(bytes.size(), kMapped);
    written = answer([&] { return onnx_bytes(read_onnx(file)); });
  }
  if (written) check_round_trip(*written, folder);
}

}  // namespace crrm::fuzz
