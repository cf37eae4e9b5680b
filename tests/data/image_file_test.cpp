// The fixtures were decoded by Pillow: tests/data/data/make_fixtures.py.
#include "crrm/data/image_file.h"

#include <gmock/gmock.h>

#include "crrm/data/npy.h"
#include "data_files.h"
#include "image_bytes.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& bytes) {
  try {
    decode_image(bytes, "a.png");
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

at::Tensor fixture_array(const std::string& name) {
  return parse_npy(fixture(name), name, "");
}

/// [H, W, 1] as RGB.
at::Tensor as_rgb(const at::Tensor& grey) {
  return grey.expand({grey.size(0), grey.size(1), 3});
}

TEST(Png, KeepsEveryValue) {
  const at::Tensor values = pattern(5, 7);
  EXPECT_TRUE(at::equal(decode_image(png(values), ""), values));
}

TEST(Png, GreyLevelsBecomeRgb) {
  const at::Tensor grey = pattern(5, 7, 1);
  EXPECT_TRUE(
      at::equal(decode_image(png(grey, {.colours = SPNG_COLOR_TYPE_GRAYSCALE}), ""), as_rgb(grey)));
}

TEST(Png, OpaqueAlphaIsDropped) {
  const at::Tensor values = at::cat({pattern(5, 7), at::full({5, 7, 1}, 255, at::kByte)}, 2);
  EXPECT_TRUE(at::equal(decode_image(png(values, {.colours = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA}), ""),
                        pattern(5, 7)));
}

/// Entry i of the palette is (i, 2 i, 3 i). @param alpha of the entries; none where empty.
std::string palette_png(const at::Tensor& entries, const std::vector<uint8_t>& alpha) {
  const auto chunks = [&](spng_ctx* encoder) {
    spng_plte palette{};
    palette.n_entries = 80;
    for (uint8_t i = 0; i < 80; ++i)
      palette.entries[i] = {i, static_cast<uint8_t>(2 * i), static_cast<uint8_t>(3 * i), 0};
    spng_set_plte(encoder, &palette);
    if (alpha.empty()) return;
    spng_trns transparency{};
    transparency.n_type3_entries = static_cast<uint32_t>(alpha.size());
    std::copy(alpha.begin(), alpha.end(), transparency.type3_alpha);
    spng_set_trns(encoder, &transparency);
  };
  return png(entries, {.colours = SPNG_COLOR_TYPE_INDEXED, .chunks = chunks});
}

TEST(Png, PalettesBecomeRgb) {
  const at::Tensor entries = pattern(5, 7, 1).remainder(80);
  EXPECT_TRUE(at::equal(decode_image(palette_png(entries, {}), ""),
                        at::cat({entries, entries * 2, entries * 3}, 2)));
  EXPECT_TRUE(decode_image(palette_png(entries, {255, 255}), "").defined());
}

TEST(Png, TransparentPixelsAreRefused) {
  at::Tensor values = at::cat({pattern(5, 7), at::full({5, 7, 1}, 255, at::kByte)}, 2);
  values[3][2][3] = 12;
  EXPECT_THAT(error_of(png(values, {.colours = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA})),
              AllOf(HasSubstr("a.png"), HasSubstr("opaque pixels"), HasSubstr("down to 12")));
  EXPECT_THAT(error_of(palette_png(pattern(5, 7, 1).remainder(80), {0, 255})),
              HasSubstr("down to 0"));
}

TEST(Png, SixteenBitsAreRefused) {
  const at::Tensor values = at::arange(12).to(at::kShort).view({3, 4, 1});
  EXPECT_THAT(error_of(png(values, {.colours = SPNG_COLOR_TYPE_GRAYSCALE, .bits = 16})),
              AllOf(HasSubstr("up to 8 bits a channel"), HasSubstr("16 bits")));
}

TEST(Png, OrientationIsAppliedWhereverItStands) {
  const at::Tensor values = pattern(2, 3);
  const at::Tensor turned = values.transpose(0, 1).flip({1});  // 6: a quarter turn clockwise
  std::string metadata = exif(6);
  const auto chunks = [&](spng_ctx* encoder) {
    spng_exif chunk{.length = metadata.size(), .data = metadata.data()};
    spng_set_exif(encoder, &chunk);
  };
  EXPECT_TRUE(at::equal(decode_image(png(values, {.chunks = chunks}), ""), turned));
  std::string file = png(values);
  constexpr size_t kEndChunk = 12;
  file.insert(file.size() - kEndChunk, png_chunk("eXIf", metadata));
  EXPECT_TRUE(at::equal(decode_image(file, ""), turned));
}

TEST(Jpeg, DecodesAsPillow) {
  EXPECT_TRUE(at::equal(decode_image(fixture("scene.jpg"), ""), fixture_array("scene_rgb.npy")));
}

TEST(Jpeg, OrientationIsAppliedAsByPillow) {
  EXPECT_TRUE(at::equal(decode_image(fixture("turned.jpg"), ""), fixture_array("turned_rgb.npy")));
}

TEST(Jpeg, GreyLevelsBecomeRgb) {
  const at::Tensor image = decode_image(jpeg(at::full({9, 5, 1}, 77, at::kByte)), "");
  EXPECT_TRUE(at::equal(image, at::full({9, 5, 3}, 77, at::kByte)));
}

TEST(Jpeg, CmykIsRefused) {
  EXPECT_THAT(error_of(fixture("cmyk.jpg")), HasSubstr("found     CMYK"));
  EXPECT_THAT(error_of(jpeg(pattern(8, 8, 4))), HasSubstr("found     CMYK"));
}

TEST(ImageFile, EveryCutIsNoticed) {
  // libspng does not ask for the CRC of a PNG file's last chunk, which is empty.
  const std::string image = png(pattern(9, 11));
  for (const std::string& whole :
       {image.substr(0, image.size() - 4), jpeg(pattern(9, 11)), fixture("scene.jpg")}) {
    EXPECT_TRUE(decode_image(whole, "").defined());
    for (size_t size = 0; size < whole.size(); ++size)
      EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("a.png")) << size;
  }
}

TEST(ImageFile, HugeHeadersAreRefused) {
  EXPECT_THAT(error_of(png_header(16385, 16384)),
              AllOf(HasSubstr("268435456 pixels"), HasSubstr("16385 x 16384")));
  EXPECT_THAT(error_of(png_header(0x7fffffff, 0x7fffffff)), HasSubstr("arithmetic overflow"));
  std::string file = jpeg(pattern(8, 8));
  const size_t frame = file.find("\xff\xc0");  // length, precision, then height and width
  file.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  EXPECT_THAT(error_of(file), HasSubstr("65500 x 65500"));
}

// No memory for a header that lies within the limit.
TEST(ImageFile, MorePixelsThanTheBytesCanHoldAreRefused) {
  EXPECT_THAT(error_of(png_header(4096, 4096)),
              AllOf(HasSubstr("as the file's bytes can hold"), HasSubstr("4096 x 4096")));
  std::string file = jpeg(pattern(8, 8));
  file.replace(file.find("\xff\xc0") + 5, 4, std::string("\x10\0\x10\0", 4));
  EXPECT_THAT(error_of(file), AllOf(HasSubstr(fmt::format("at most {} pixels", 512 * file.size())),
                                    HasSubstr("4096 x 4096")));
  // One grey level deflates as far as anything does.
  const at::Tensor blank = at::zeros({3000, 3000, 1}, at::kByte);
  EXPECT_TRUE(decode_image(png(blank, {.colours = SPNG_COLOR_TYPE_GRAYSCALE}), "").defined());
  EXPECT_TRUE(decode_image(jpeg(blank), "").defined());
}

TEST(ImageFile, DamagedBytesAreNoticed) {
  std::string file = png(pattern(9, 11));
  file[file.size() - 20] ^= 1;  // in the pixels, which a CRC covers
  EXPECT_THAT(error_of(file), HasSubstr("a whole PNG file"));
}

TEST(ImageFile, WhatIsNoImageSaysSo) {
  EXPECT_THAT(error_of("GIF89a"),
              AllOf(HasSubstr("a JPEG or PNG file"), HasSubstr("6 bytes that begin 47 49 46 38")));
  EXPECT_THAT(error_of(""), HasSubstr("found     0 bytes"));
}

}  // namespace
}  // namespace crrm
