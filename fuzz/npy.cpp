// NumPy's arrays: as the inputs of a folder whose labels are sound, then as the labels of sound
// inputs.
#include "crrm/data/dataset.h"
#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

namespace {

/// An .npy file of bytes.
std::string array(const std::string& shape, const std::string& values) {
  const std::string header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (" + shape + "), }\n";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header +
         values;
}

}  // namespace

void test(std::string_view bytes) {
  static const std::string inputs = array("6, 2", "twelve bytes");
  static const std::string labels = array("6,", std::string("\0\1\0\1\0\1", 6));
  static const ScratchFolder as_inputs, as_labels;
  as_inputs.write("x.npy", bytes);
  as_inputs.write("y.npy", labels);
  as_labels.write("x.npy", inputs);
  as_labels.write("y.npy", bytes);
  const AllocationLimit limit(bytes.size(), kBlocks);
  answer([&] { return load_data(as_inputs.path(), {}); });
  answer([&] { return load_data(as_labels.path(), {}); });
}

}  // namespace crrm::fuzz
