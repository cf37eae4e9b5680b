// JPEG and PNG files.
#include "crrm/data/image_file.h"
#include "fuzz/allocation_limit.h"
#include "fuzz/target.h"

namespace crrm::fuzz {

void test(std::string_view bytes) {
  // One byte of deflated grey levels, 8 pixels to the byte, may stand for as many bytes of RGBA.
  constexpr size_t kDeflated = 1032, kPixels = 8, kRgba = 4;
  const AllocationLimit limit(kDeflated * kPixels * kRgba / kFactor * bytes.size(), kBlocks);
  answer([&] { return decode_image(bytes, "image"); });
}

}  // namespace crrm::fuzz
