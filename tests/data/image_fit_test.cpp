// The fixtures were resized by Pillow: tests/data/data/make_fixtures.py.
#include "crrm/data/image_fit.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "crrm/data/npy.h"
#include "crrm/measure/threads.h"
#include "data_files.h"
#include "image_bytes.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A fixture [H, W, C] or [H, W] as [C, H, W].
at::Tensor planes(const std::string& name) {
  const at::Tensor stored = parse_npy(fixture(name), name, "");
  return stored.dim() == 2 ? stored.unsqueeze(0) : stored.permute({2, 0, 1});
}

int64_t largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kLong) - b.to(at::kLong)).abs().max().item<int64_t>();
}

/// The pixel (y, x) of [1, H, W] is 16 y + x.
at::Tensor numbered(int64_t height, int64_t width) {
  return (at::arange(height).view({1, -1, 1}) * 16 + at::arange(width)).to(at::kByte);
}

// Pillow rounds between its two passes as well, so a value may differ by one.
TEST(FitImage, ResizesAsPillow) {
  const at::Tensor scene = planes("scene_rgb.npy");  // [3, 36, 24]
  const at::Tensor smaller = fit_image(scene, {.resize = {10}}, "");
  ASSERT_EQ(smaller.sizes(), at::IntArrayRef({3, 15, 10}));
  EXPECT_LE(largest_difference(smaller, planes("scene_smaller.npy")), 1);
  const at::Tensor larger = fit_image(scene, {.resize = {37, 40}}, "");
  EXPECT_LE(largest_difference(larger, planes("scene_larger.npy")), 1);
}

// Halved, the triangle is symmetric about 2 i + 1/2: a ramp of slope 4 gives 8 i + 2, away from the
// edges, where the filter loses a part.
TEST(FitImage, RampsStayRampsAndConstantsConstant) {
  const at::Tensor ramp = (at::arange(40) * 4).to(at::kByte).expand({3, 20, 40});
  const at::Tensor half = fit_image(ramp, {.resize = {10, 20}}, "");
  const at::Tensor expected = (at::arange(1, 19) * 8 + 2).to(at::kByte).expand({3, 10, 18});
  EXPECT_TRUE(at::equal(half.narrow(2, 1, 18), expected));
  const at::Tensor constant = at::full({3, 17, 23}, 201, at::kByte);
  EXPECT_TRUE(at::equal(fit_image(constant, {.resize = {8, 31}}, ""),
                        at::full({3, 8, 31}, 201, at::kByte)));
}

TEST(FitImage, OneNumberIsTheShorterSide) {
  const auto size = [](int64_t height, int64_t width, int64_t shorter) {
    return fit_image(numbered(height, width), {.resize = {shorter}}, "").sizes().vec();
  };
  EXPECT_EQ(size(5, 7, 4), std::vector<int64_t>({1, 4, 5}));  // 4 * 7 / 5 = 5.6
  EXPECT_EQ(size(7, 5, 4), std::vector<int64_t>({1, 5, 4}));
  EXPECT_EQ(size(5, 7, 5), std::vector<int64_t>({1, 5, 7}));
  EXPECT_TRUE(at::equal(fit_image(numbered(5, 7), {.resize = {5}}, ""), numbered(5, 7)));
}

// Margins of 1, 3, 5 pixels: Python's round gives round(1 / 2) = 0, round(3 / 2) = round(5 / 2)
// = 2.
TEST(FitImage, CropsTheCentreAsTorchvision) {
  const auto corner = [](std::vector<int64_t> crop) {
    const at::Tensor cropped = fit_image(numbered(8, 9), {.crop = std::move(crop)}, "");
    return cropped[0][0][0].item<int>();
  };
  EXPECT_EQ(corner({7, 8}), 0);
  EXPECT_EQ(corner({5, 6}), 16 * 2 + 2);
  EXPECT_EQ(corner({3, 4}), 16 * 2 + 2);
  EXPECT_EQ(corner({4, 3}), 16 * 2 + 3);
  EXPECT_TRUE(at::equal(fit_image(numbered(8, 9), {.crop = {4}}, ""),
                        numbered(8, 9).narrow(1, 2, 4).narrow(2, 2, 4)));
}

TEST(FitImage, CropFollowsResize) {
  const at::Tensor scene = planes("scene_rgb.npy");
  EXPECT_TRUE(at::equal(fit_image(scene, {.resize = {12}, .crop = {8}}, ""),
                        fit_image(scene, {.resize = {12}}, "").narrow(1, 5, 8).narrow(2, 2, 8)));
}

TEST(FitImage, ChannelsAndLayout) {
  const at::Tensor scene = planes("scene_rgb.npy");
  EXPECT_TRUE(at::equal(fit_image(scene, {.channels = "bgr"}, ""), scene.flip({0})));
  EXPECT_TRUE(at::equal(fit_image(scene, {.channels = "grey"}, ""), planes("scene_grey.npy")));
  EXPECT_TRUE(at::equal(fit_image(scene, {.layout = "hwc"}, ""), scene.permute({1, 2, 0})));
  for (const std::string& channels : channel_orders())
    EXPECT_TRUE(at::equal(fit_image(numbered(3, 4), {.channels = channels}, ""), numbered(3, 4)));
}

TEST(FitImage, ErrorsNameTheImage) {
  const auto error = [](const DataOptions& options) {
    return message_of([&] { fit_image(numbered(8, 9), options, "a.png"); });
  };
  EXPECT_THAT(error({.crop = {9}}), AllOf(HasSubstr("a.png: crop"), HasSubstr("at least 9 x 9"),
                                          HasSubstr("found     8 x 9"), HasSubstr("--resize")));
  EXPECT_THAT(error({.resize = {1 << 20, 1 << 20}}),
              AllOf(HasSubstr("a.png: resize"), HasSubstr("1048576 x 1048576, from 8 x 9")));
}

TEST(ImageOptions, AreChecked) {
  const auto error = [](const DataOptions& options) {
    return message_of([&] { check_image_options(options); });
  };
  EXPECT_THAT(error({.resize = {0}}), AllOf(HasSubstr("--resize"), HasSubstr("found     0")));
  EXPECT_THAT(error({.crop = {1, 2, 3}}), AllOf(HasSubstr("--crop"), HasSubstr("1, 2, 3")));
  EXPECT_THAT(error({.resize = {INT64_MAX}}), HasSubstr("pixels above 0"));
  EXPECT_THAT(error({.channels = "gray"}), AllOf(HasSubstr("--channels"), HasSubstr("grey?")));
  EXPECT_THAT(error({.layout = "nhwc"}), AllOf(HasSubstr("--layout"), HasSubstr("chw, hwc")));
  EXPECT_NO_THROW(check_image_options({}));
}

ImageSequence sequence(int64_t count, std::function<at::Tensor(int64_t)> image) {
  return {.count = count, .image = std::move(image), .name = [](int64_t i) {
            return fmt::format("image {}", i);
          }};
}

TEST(StackImages, KeepsTheOrderOnAnyNumberOfThreads) {
  const auto image = [](int64_t i) { return pattern(2, 3, 3, i); };
  std::vector<at::Tensor> expected;
  for (int64_t i = 0; i < 50; ++i) expected.push_back(image(i));
  for (const int count : {1, 4}) {
    const Threads threads(count);
    EXPECT_TRUE(at::equal(stack_images(sequence(50, image)), at::stack(expected))) << count;
  }
}

TEST(StackImages, NamesTheFirstThatFails) {
  const auto broken = [](int64_t i) {
    if (i == 20 || i > 23) throw InputError({.file = fmt::format("image {}", i)});
    return pattern(i == 21 ? 4 : 2, 3);
  };
  const auto uneven = [](int64_t i) { return pattern(i > 20 ? 4 : 2, 3); };
  for (const int count : {1, 4}) {
    const Threads threads(count);
    EXPECT_THAT(message_of([&] { stack_images(sequence(50, broken)); }), HasSubstr("image 20"));
    EXPECT_THAT(message_of([&] { stack_images(sequence(50, uneven)); }),
                AllOf(HasSubstr("image 21"), HasSubstr("[2, 3, 3], as image 0 is"),
                      HasSubstr("[4, 3, 3]"), HasSubstr("--resize")));
  }
}

TEST(StackImages, MustFitIntoMemory) {
  const auto image = [](int64_t) { return pattern(1024, 1024, 1); };  // 1 MiB
  EXPECT_THAT(message_of([&] { stack_images(sequence(int64_t{1} << 30, image)); }),
              AllOf(HasSubstr("GiB of memory"), HasSubstr("1048576.0 GiB"), HasSubstr("--resize")));
}

TEST(CheckFitted, ArraysMustHaveTheExtentsAlready) {
  Dataset data;
  data.source = "a.npz";
  data.inputs = at::zeros({2, 3, 8, 9}, at::kByte);
  EXPECT_NO_THROW(check_fitted(data, {}));
  EXPECT_NO_THROW(check_fitted(data, {.resize = {8}}));
  EXPECT_NO_THROW(check_fitted(data, {.resize = {20}, .crop = {8, 9}}));
  EXPECT_THAT(message_of([&] { check_fitted(data, {.crop = {8}}); }),
              AllOf(HasSubstr("a.npz: resize and crop"), HasSubstr("samples of 8 x 8"),
                    HasSubstr("[2, 3, 8, 9]"), HasSubstr("MODEL.json")));
  EXPECT_THAT(message_of([&] { check_fitted(data, {.resize = {4}}); }),
              HasSubstr("samples of 4 x 4"));
  data.inputs = data.inputs.permute({0, 2, 3, 1});
  data.channel_axis = -1;
  EXPECT_NO_THROW(check_fitted(data, {.crop = {8, 9}}));
  data.inputs = at::zeros({2, 5});
  EXPECT_THAT(message_of([&] { check_fitted(data, {.crop = {8}}); }), HasSubstr("[N, H, W, C]"));
}

}  // namespace
}  // namespace crrm
