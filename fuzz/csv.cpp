// Tables, as text or as a gzip file.
#include "crrm/data/dataset.h"
#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

void test(std::string_view bytes) {
  static const ScratchFolder folder;
  const std::filesystem::path file = folder.write("table.csv", bytes);
  const AllocationLimit limit(bytes.size(), kBlocks);
  answer([&] { return load_data(file, {}); });
}

}  // namespace crrm::fuzz
