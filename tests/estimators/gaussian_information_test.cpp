#include "crrm/estimators/gaussian_information.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "crrm/base/error.h"
#include "tests/estimators/beyond_normal.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;
using testing::Pair;

const testing::BeyondNormalTask& task(const std::string& name) {
  static const std::vector<testing::BeyondNormalTask> tasks = testing::beyond_normal_tasks();
  for (const testing::BeyondNormalTask& one : tasks)
    if (one.name == name) return one;
  throw std::out_of_range(name);
}

// All coordinates correlated by 1/2: 1/2 ln((1 + d)^2 / (1 + 2 d)).
TEST(GaussianInformation, IsTheClosedFormOfDenseNormals) {
  for (const auto& [d, truth] : std::initializer_list<std::pair<int, double>>{
           {2, 0.293893}, {3, 0.413339}, {5, 0.592812}, {25, 1.292184}, {50, 1.624265}}) {
    const Pair pair = task(fmt::format("Multinormal {0} x {0} (dense)", d)).sample(5000, 1);
    const Estimate estimate = gaussian_information(pair.x, pair.y);
    ASSERT_FALSE(estimate.refused()) << estimate.reason;
    EXPECT_NEAR(*estimate.value, truth, 0.05) << d;  // deviation 0.015 to 0.03
    EXPECT_LE(estimate.interval->low, truth) << d;
    EXPECT_GE(estimate.interval->high, truth) << d;
  }
}

// From 1.2 to 9 samples a dimension: the mean is the truth, and intervals cover it.
TEST(GaussianInformation, IsUnbiasedFromFewSamples) {
  constexpr double kTruth = 1.021651;  // two pairs of rho = 0.8
  for (const int64_t n : {12, 20, 30, 90}) {
    double sum = 0, squares = 0;
    int given = 0, covered = 0;
    for (uint64_t seed = 0; seed < 400; ++seed) {
      const Pair pair = testing::two_pair(5, n, seed);
      const Estimate estimate = gaussian_information(pair.x, pair.y);
      if (estimate.refused()) continue;
      ++given;
      sum += *estimate.value;
      squares += *estimate.value * *estimate.value;
      covered += estimate.interval->low <= kTruth && kTruth <= estimate.interval->high;
    }
    const double mean = sum / given, error = std::sqrt((squares / given - mean * mean) / given);
    EXPECT_GE(given, 384) << n;  // 1 % are refused, three deviations more
    EXPECT_NEAR(mean, kTruth, 3 * error) << n;
    EXPECT_GE(covered, 0.92 * given) << n;
  }
}

TEST(GaussianInformation, IsTheSameUnderLinearMaps) {
  const Pair pair = testing::two_pair(3, 500, 0);
  const at::Tensor map = testing::normals(3, 3, 1);
  EXPECT_NEAR(*gaussian_information(pair.x.mm(map) * 7 + 2, pair.y).value,
              *gaussian_information(pair.x, pair.y).value, 1e-9);
}

TEST(GaussianInformation, RefusesWhatIsNotNormal) {
  for (const char* name :
       {"Student-t 2 x 2 (dof=2)", "Half-cube @ Bivariate normal 1 x 1", "Bimodal 1 x 1",
        "Uniform 1 x 1 (additive noise=0.75)", "Normal CDF @ Multinormal 25 x 25 (2-pair)"}) {
    const Pair pair = task(name).sample(5000, 1);
    const Estimate estimate = gaussian_information(pair.x, pair.y);
    EXPECT_TRUE(estimate.refused()) << name;
    EXPECT_THAT(estimate.reason, HasSubstr("kurtosis")) << name;
  }
}

// Each variable is normal, and its kurtosis with the other that of a normal pair: linear
// correlations alone would read 0.8 nats of 1.02.
TEST(GaussianInformation, RefusesWhatIsTurnedByItsLength) {
  const Pair pair = task("Spiral @ Multinormal 25 x 25 (2-pair)").sample(5000, 1);
  const Estimate estimate = gaussian_information(pair.x, pair.y);
  EXPECT_TRUE(estimate.refused());
  EXPECT_THAT(estimate.reason, HasSubstr("depends on their lengths"));
}

TEST(GaussianInformation, RefusesWhatHasNoDeterminant) {
  const Pair pair = testing::two_pair(5, 11, 0);
  EXPECT_EQ(gaussian_information(pair.x, pair.y).validity, Validity::too_few_samples);
  const at::Tensor x = testing::normals(100, 2, 0);
  EXPECT_EQ(gaussian_information(x, x).validity, Validity::out_of_range);
  EXPECT_EQ(*gaussian_information(x, at::ones({100, 1})).value, 0);
  EXPECT_THROW(gaussian_information(x, pair.y), InputError);
}

}  // namespace
}  // namespace crrm
