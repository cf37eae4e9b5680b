#include "crrm/estimators/coding_rate.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

at::Tensor normal(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble);
}

// The determinant itself, on either side of Sylvester's identity.
TEST(CodingRate, IsHalfTheLogarithmOfTheDeterminant) {
  for (const auto& sizes : {std::vector<int64_t>{6, 9}, std::vector<int64_t>{9, 6}}) {
    const at::Tensor x = normal(sizes, 1);
    const at::Tensor z = x / x.norm(2, 1, true);
    const double scale = static_cast<double>(sizes[1]) / sizes[0] / 0.3;
    const at::Tensor matrix = at::eye(sizes[1], at::kDouble) + scale * z.t().matmul(z);
    EXPECT_NEAR(*coding_rate(x, 0.3).value, at::linalg_det(matrix).log().item<double>() / 2, 1e-10);
  }
}

TEST(CodingRate, IgnoresTheLengthOfSamples) {
  const at::Tensor x = normal({20, 5}, 2);
  const at::Tensor lengths = normal({20, 1}, 3).exp();
  EXPECT_NEAR(*coding_rate(x * lengths).value, *coding_rate(x).value, 1e-12);
  EXPECT_EQ(*coding_rate(at::zeros({4, 3})).value, 0);
}

TEST(CodingRate, SaysThatOrthogonalSamplesSaturateIt) {
  const Estimate orthogonal = coding_rate(at::eye(8, at::kDouble));
  EXPECT_EQ(orthogonal.validity, Validity::saturated);
  EXPECT_THAT(orthogonal.reason, HasSubstr("8 samples in 8 dimensions"));
  EXPECT_EQ(coding_rate(normal({500, 8}, 4)).validity, Validity::ok);
}

// Classes in orthogonal planes: R - R_c grows towards what the label is worth; one class saves
// nothing.
TEST(CodingRate, ReductionIsWhatClassesSave) {
  const at::Tensor plane = normal({50, 2}, 5);
  const at::Tensor zero = at::zeros({50, 2}, at::kDouble);
  const at::Tensor x = at::cat({at::cat({plane, zero}, 1), at::cat({zero, plane}, 1)});
  const at::Tensor labels = at::cat({at::full({50}, -3, at::kLong), at::full({50}, 8, at::kLong)});
  const CodingRateReduction apart = coding_rate_reduction(x, labels);
  EXPECT_NEAR(*apart.rate.value, *coding_rate(x).value, 1e-12);
  EXPECT_NEAR(*apart.within.value, *coding_rate(x.narrow(0, 0, 50)).value, 1e-12);
  EXPECT_GT(*apart.reduction.value, 0.5);
  EXPECT_NEAR(*coding_rate_reduction(x, at::zeros({100}, at::kLong)).reduction.value, 0, 1e-12);
}

// Labels that nothing relates to the samples save nothing beyond what permuted ones do.
TEST(CodingRate, OfRandomLabelsIsThatOfPermutedOnes) {
  const at::Tensor x = normal({300, 60}, 6), labels = at::arange(300) % 10;
  const CodingRateReduction random = coding_rate_reduction(x, labels);
  EXPECT_GT(*random.reduction.value, 1);
  EXPECT_EQ(random.reduction.validity, Validity::too_few_samples);
  EXPECT_EQ(random.within.validity, Validity::too_few_samples);
  EXPECT_THAT(random.reduction.reason, HasSubstr("30 samples of a class in 60 dimensions"));
  EXPECT_NEAR(*random.beyond_chance.value, 0, 0.03 * *random.reduction.value);
  const at::Tensor apart = x + 3 * normal({10, 60}, 7).index_select(0, labels);
  const CodingRateReduction classes = coding_rate_reduction(apart, labels);
  EXPECT_GT(*classes.beyond_chance.value, 1);
  EXPECT_LT(*classes.beyond_chance.value, *classes.reduction.value);
}

TEST(CodingRate, NamesWhatItCannotTake) {
  const at::Tensor x = at::ones({4, 2});
  EXPECT_THAT([&] { coding_rate(x, 0); }, ThrowsMessage<InputError>(HasSubstr("above 0")));
  EXPECT_THAT([&] { coding_rate_reduction(x, at::zeros({3}, at::kLong)); },
              ThrowsMessage<InputError>(HasSubstr("[4] integers")));
}

}  // namespace
}  // namespace crrm
