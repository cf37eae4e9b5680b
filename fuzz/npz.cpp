// NumPy's archives: the ZIP directory, stored and deflated entries. Their CRC-32 stops most damage
// before it reaches an array; npy.cpp has the arrays.
#include "crrm/data/dataset.h"
#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

void test(std::string_view bytes) {
  static const ScratchFolder folder;
  const std::filesystem::path file = folder.write("arrays.npz", bytes);
  const AllocationLimit limit(bytes.size(), kBlocks);
  answer([&] { return load_data(file, {}); });
}

}  // namespace crrm::fuzz
