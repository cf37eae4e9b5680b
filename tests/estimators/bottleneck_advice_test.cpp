#include "crrm/estimators/bottleneck_advice.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

namespace crrm {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Not;

const auto kDouble = at::TensorOptions(at::kDouble);

at::Generator generator(uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

/// Uniform in a cube of `dimension`, turned at random into `features` dimensions.
at::Tensor flat(int64_t samples, int64_t dimension, int64_t features) {
  const at::Generator random = generator(1);
  const at::Tensor inside = at::rand({samples, dimension}, random, kDouble);
  return at::mm(inside, at::randn({dimension, features}, random, kDouble));
}

// A flat set of dimension 3 among 64 features: at the border of a cube, neighbours lie to one side,
// so that estimates are low by a few percent, and all stay below 4.
TEST(BottleneckAdvice, FollowsTheDimensionOfAFlatSet) {
  const BottleneckAdvice advice = advise_bottleneck(flat(2000, 3, 64));
  EXPECT_EQ(advice.samples, 2000);
  EXPECT_EQ(advice.features, 64);
  ASSERT_TRUE(advice.width.has_value());
  EXPECT_THAT(*advice.width, AllOf(Ge(3), Le(4)));
  EXPECT_EQ(*advice.safe_width, 2 * *advice.width + 1);
  EXPECT_TRUE(advice.compresses) << testing::PrintToString(advice.cautions);
}

// Noise fills all of its features: there is nothing to gain.
TEST(BottleneckAdvice, ExpectsNothingOfNoise) {
  const BottleneckAdvice advice = advise_bottleneck(at::randn({2000, 12}, generator(2), kDouble));
  EXPECT_FALSE(advice.compresses);
  EXPECT_THAT(advice.cautions, Contains(HasSubstr("more than half of 12 features")));
}

// FisherS keeps components with a tenth of the largest variance: 3 of 12, where the other nine have
// a 25th.
TEST(BottleneckAdvice, CallsASetOfUnequalVariancesNotCurved) {
  const at::Generator random = generator(4);
  const at::Tensor wide = 5 * at::randn({2000, 3}, random, kDouble);
  const at::Tensor points = at::cat({wide, at::randn({2000, 9}, random, kDouble)}, 1);
  const BottleneckAdvice advice = advise_bottleneck(points);
  EXPECT_FALSE(advice.compresses);
  EXPECT_THAT(advice.cautions, Contains(HasSubstr("directions of large variance")));
  EXPECT_THAT(advice.cautions, Not(Contains(HasSubstr("is curved"))));
}

// 100 dimensions are beyond what 500 samples can show.
TEST(BottleneckAdvice, ExpectsNothingWhereSamplesAreTooFew) {
  const BottleneckAdvice advice = advise_bottleneck(at::randn({500, 1000}, generator(3), kDouble));
  EXPECT_FALSE(advice.compresses);
  EXPECT_THAT(advice.cautions, Not(IsEmpty()));
}

TEST(BottleneckAdvice, HasNoWidthAboveTheFeatures) {
  const at::Tensor codes =
      at::eye(200, kDouble) + 1e-3 * at::randn({200, 200}, generator(4), kDouble);
  const BottleneckAdvice advice = advise_bottleneck(codes);
  EXPECT_FALSE(advice.compresses);
  EXPECT_THAT(advice.width.value_or(0), Le(200));
  EXPECT_THAT(advice.safe_width.value_or(0), Le(200));
}

// 60 dimensions, but every sample twice: distances see pairs.
TEST(BottleneckAdvice, ExpectsNothingOfNearlyEqualSamples) {
  const at::Tensor points = at::randn({500, 60}, generator(5), kDouble);
  const at::Tensor again = points + 1e-7 * at::randn({500, 60}, generator(6), kDouble);
  const BottleneckAdvice advice = advise_bottleneck(at::cat({points, again}));
  EXPECT_FALSE(advice.compresses);
  EXPECT_THAT(advice.cautions, Contains(HasSubstr("nearly equal samples")));
}

TEST(BottleneckAdvice, HasNoWidthWhereAllSamplesAreOne) {
  const BottleneckAdvice advice = advise_bottleneck(at::ones({50, 8}, kDouble));
  EXPECT_FALSE(advice.width.has_value());
  EXPECT_FALSE(advice.compresses);
}

}  // namespace
}  // namespace crrm
