#include "crrm/data/augment.h"

#include <gmock/gmock.h>

#include "crrm/base/random.h"
#include "data_files.h"

namespace crrm {
namespace {

using testing::HasSubstr;

constexpr Augmentation kUsual{.pad = 2, .flip = true};
const Normalisation kNormalisation{.scale = 1.0 / 255, .mean = {0.4, 0.5, 0.6}, .std = {0.25}};

/// Bits of which draw_move makes this move; pad 2 has 5 places.
uint64_t bits_of(int64_t down, int64_t right, bool mirror) {
  const auto place = [](int64_t at) { return ((static_cast<uint64_t>(at) << 31) + (1 << 20)) / 5; };
  return place(down) | place(right) << 31 | static_cast<uint64_t>(mirror) << 62;
}

Dataset images(at::ScalarType type) {
  Dataset data;
  data.inputs = (at::arange(2 * 3 * 4 * 5) * 37 % 256).to(type).view({2, 3, 4, 5});
  data.labels = at::arange(2, at::kLong);
  data.classes = 2;
  data.source = "here";
  return data;
}

// Every move against padding, slicing, flipping and normalising by ATen.
TEST(Augment, EveryMoveMatchesAten) {
  for (const at::ScalarType type : {at::kByte, at::kFloat}) {
    const Dataset data = images(type);
    const at::Tensor padded =  // [2, 3, 8, 9]
        at::constant_pad_nd(data.inputs.to(at::kDouble), {2, 2, 2, 2});
    const at::Tensor mean = at::tensor(kNormalisation.mean, at::kDouble).view({3, 1, 1});
    for (const bool channels_last : {false, true}) {
      const Preparation preparation(data, kNormalisation, kUsual, channels_last);
      for (int64_t code = 0; code < 50; ++code) {
        const int64_t down = code % 5, right = code / 5 % 5;
        const bool mirror = code >= 25;
        at::Tensor crop = padded[1].narrow(1, down, 4).narrow(2, right, 5);  // [3, 4, 5]
        if (mirror) crop = crop.flip({2});
        const at::Tensor expected = ((crop / 255.0 - mean) / 0.25).to(at::kFloat);
        const std::vector<int64_t> index{1};
        const std::vector<uint64_t> bits{bits_of(down, right, mirror)};
        EXPECT_TRUE(at::allclose(preparation.inputs(index, bits)[0], expected, 1e-6, 1e-6))
            << type << " down " << down << " right " << right << " mirror " << mirror;
      }
    }
  }
}

TEST(Augment, MovesAreTheSameInEitherLayout) {
  for (const at::ScalarType type : {at::kByte, at::kFloat}) {
    Dataset data = images(type);
    const Preparation planes(data, kNormalisation, kUsual, false);
    data.inputs = data.inputs.permute({0, 2, 3, 1});
    data.channel_axis = -1;
    const Preparation pixels(data, kNormalisation, kUsual, true);
    for (int64_t code = 0; code < 50; ++code) {
      const std::vector<int64_t> index{1, 0};
      const std::vector<uint64_t> bits{bits_of(code % 5, code / 5 % 5, code >= 25), 0};
      EXPECT_TRUE(
          at::equal(pixels.inputs(index, bits), planes.inputs(index, bits).permute({0, 2, 3, 1})))
          << type << code;
    }
  }
}

// 25 places and 2 mirrorings in 100,000 draws: each expected 2,000 times. Chi-square with 49
// degrees of freedom exceeds 85.35 with probability 0.001.
TEST(Augment, MovesAreUniform) {
  std::vector<double> counts(50);
  for (uint64_t i = 0; i < 100'000; ++i) {
    const ImageMove move = draw_move(kUsual, mix(5, i));
    counts.at(static_cast<size_t>(move.down * 10 + move.right * 2 + move.mirror)) += 1;
  }
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 2000) * (count - 2000) / 2000;
  EXPECT_LT(chi_square, 85.35);
}

TEST(Augment, ExtremeDraws) {
  const ImageMove least = draw_move(kUsual, 0);
  EXPECT_EQ(least.down + least.right, 0);
  const ImageMove most = draw_move(kUsual, ~uint64_t{0});
  EXPECT_EQ(most.down, 4);
  EXPECT_EQ(most.right, 4);
  EXPECT_TRUE(most.mirror);
  EXPECT_FALSE(draw_move({.pad = 2, .flip = false}, ~uint64_t{0}).mirror);
}

std::string error_of(const Dataset& data, Augmentation augmentation) {
  try {
    const Preparation preparation(data, {}, augmentation, false);
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Augment, MustFitTheData) {
  Dataset table = images(at::kByte);
  EXPECT_THAT(error_of(table, {.pad = 5}), HasSubstr("0 to 4 pixels"));
  EXPECT_THAT(error_of(table, {.pad = -1}), HasSubstr("found     -1"));
  Dataset pixels = images(at::kByte);
  pixels.inputs = pixels.inputs.permute({0, 2, 3, 1});  // [2, 4, 5, 3]
  pixels.channel_axis = -1;
  EXPECT_THAT(error_of(pixels, {.pad = 5}), HasSubstr("0 to 4 pixels"));
  table.inputs = table.inputs.view({2, 60});
  EXPECT_THAT(error_of(table, {.flip = true}), HasSubstr("images [N, C, H, W]"));
}

}  // namespace
}  // namespace crrm
