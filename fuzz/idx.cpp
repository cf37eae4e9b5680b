// IDX files, or gzip files of them: as the images of sound labels, then as the labels of sound
// images.
#include "crrm/data/dataset.h"
#include "fuzz/allocation_limit.h"
#include "fuzz/scratch_folder.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

namespace {

constexpr const char* kImages = "train-images-idx3-ubyte";
constexpr const char* kLabels = "train-labels-idx1-ubyte";

/// Six images of 1 x 2 pixels.
const std::string images("\0\0\x08\x03\0\0\0\x06\0\0\0\x01\0\0\0\x02twelve bytes", 28);
const std::string labels("\0\0\x08\x01\0\0\0\x06\0\1\0\1\0\1", 14);

}  // namespace

void test(std::string_view bytes) {
  static const ScratchFolder as_images, as_labels;
  as_images.write(kLabels, labels);
  as_images.write(kImages, bytes);
  as_labels.write(kImages, images);
  as_labels.write(kLabels, bytes);
  const AllocationLimit limit(bytes.size(), kBlocks);
  answer([&] { return load_data(as_images.path(), {}); });
  answer([&] { return load_data(as_labels.path(), {}); });
}

}  // namespace crrm::fuzz
