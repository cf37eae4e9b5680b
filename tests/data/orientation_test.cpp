#include "crrm/data/orientation.h"

#include <gmock/gmock.h>

#include "data_files.h"
#include "image_bytes.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& metadata) {
  try {
    exif_orientation(metadata, "a.jpg");
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

struct Place {
  int64_t row;
  int64_t column;
};

/// Where the stored pixel (r, c) of an image [H, W] is seen. Exif 2.32, table of tag 0x0112: which
/// side the stored row 0 and column 0 are seen at.
Place seen_at(int orientation, int64_t r, int64_t c, int64_t height, int64_t width) {
  const int64_t from_below = height - 1 - r, from_right = width - 1 - c;
  switch (orientation) {
    case 2:  // row 0 top, column 0 right
      return {r, from_right};
    case 3:  // bottom, right
      return {from_below, from_right};
    case 4:  // bottom, left
      return {from_below, c};
    case 5:  // left, top
      return {c, r};
    case 6:  // right, top
      return {c, from_below};
    case 7:  // right, bottom
      return {from_right, from_below};
    case 8:  // left, bottom
      return {from_right, r};
    default:
      return {r, c};
  }
}

TEST(Orientation, AllEightAsTheStandardShowsThem) {
  const at::Tensor stored = pattern(2, 3);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const at::Tensor seen = upright(stored, orientation);
    EXPECT_EQ(seen.size(0), orientation < 5 ? 2 : 3) << orientation;
    for (int64_t r = 0; r < 2; ++r)
      for (int64_t c = 0; c < 3; ++c) {
        const Place place = seen_at(orientation, r, c, 2, 3);
        EXPECT_TRUE(at::equal(seen[place.row][place.column], stored[r][c]))
            << orientation << " row " << r << " column " << c;
      }
  }
}

TEST(Orientation, IsReadInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const std::string order : {"II", "MM"})
      EXPECT_EQ(exif_orientation(exif(orientation, order), ""), orientation) << order;
}

TEST(Orientation, NoneIsUpright) {
  EXPECT_EQ(exif_orientation("", ""), 1);
  EXPECT_EQ(exif_orientation(exif(0), ""), 1);
  EXPECT_EQ(exif_orientation(exif(6, "II", 3, /*tag=*/0x0110), ""), 1);
}

TEST(Orientation, DamagedMetadataAreRefused) {
  EXPECT_THAT(error_of(exif(9)), AllOf(HasSubstr("a.jpg: Exif metadata"), HasSubstr("from 1 to 8"),
                                       HasSubstr("found     9")));
  EXPECT_THAT(error_of(exif(6, "MM", /*type=*/2)), HasSubstr("of type 2"));
  EXPECT_THAT(error_of("hello, world"), HasSubstr("a TIFF header"));
  const std::string whole = exif(6);
  for (size_t size = 1; size < whole.size() - 6; ++size)  // up to the value
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("Exif metadata")) << size;
  std::string far = whole;
  far.replace(4, 4, "\xff\xff\xff\xff");  // offset of the directory
  EXPECT_THAT(error_of(far), HasSubstr("2 bytes at byte 4294967295"));
  std::string many = exif(6, "MM", 3, /*tag=*/0x0110);
  many.replace(8, 2, "\xff\xff");  // entries
  EXPECT_THAT(error_of(many), HasSubstr("bytes of metadata"));
}

TEST(JpegExif, IsFoundBehindOtherSegments) {
  const std::string plain = jpeg(pattern(8, 8));
  EXPECT_EQ(jpeg_exif(plain), "");
  const std::string metadata = exif(3);
  std::string file = with_segment(plain, '\xe1', std::string("Exif\0\0", 6) + metadata);
  file = with_segment(file, '\xe1', "http://ns.adobe.com/xap/1.0/");
  EXPECT_EQ(jpeg_exif(file), metadata);
  EXPECT_EQ(jpeg_exif("\xff\xd8\xff\xe1"), "");
}

}  // namespace
}  // namespace crrm
