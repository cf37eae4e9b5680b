#include "crrm/estimators/intrinsic_dimension.h"

#include <gtest/gtest.h>

#include <fstream>

#include "crrm/estimators/correlation_dimension.h"
#include "crrm/estimators/gride.h"
#include "crrm/estimators/separability.h"
#include "crrm/estimators/simplex_skewness.h"
#include "crrm/estimators/sphere_reading.h"
#include "tests/estimators/sampled_points.h"

namespace crrm {
namespace {

double detail(const Estimate& estimate, std::string_view name) {
  for (const auto& [key, value] : estimate.details)
    if (key == name) return value;
  return NAN;
}

// skdim.datasets.hyperBall(n=30, d=5, random_state=0). [30, 5] float64
at::Tensor hyper_ball() {
  std::ifstream file(std::string(CRRM_TEST_DATA) + "/hyper_ball.csv");
  std::vector<double> values;
  for (std::string number; std::getline(file, number, values.size() % 5 == 4 ? '\n' : ',');)
    values.push_back(std::stod(number));
  return at::tensor(values, at::kDouble).view({30, 5});
}

// The values of scikit-dimension 0.5.0's own regression tests (MLE, MLE with 5 neighbours, CorrInt,
// ESS), and FisherS run on the same points.
TEST(IntrinsicDimension, OfTheHyperBallEqualsScikitDimension) {
  const at::Tensor points = hyper_ball();
  const Neighbours neighbours = nearest_neighbours(points, 20);
  EXPECT_NEAR(*levina_bickel(neighbours, 20).value, 3.3411618305184723, 1e-9);
  EXPECT_NEAR(*levina_bickel(neighbours, 5).value, 4.350132038093711, 1e-9);
  EXPECT_NEAR(*correlation_dimension(points, neighbours).value, 2.930917133549253, 1e-9);
  EXPECT_NEAR(dimension_of_skewness(simplex_skewness(points)), 5.086815754299787, 1e-9);
  EXPECT_NEAR(*separability_dimension(points).value, 5.809099827715422, 1e-9);
  EXPECT_EQ(levina_bickel(neighbours, 20).validity, Validity::too_few_samples);
}

// scikit-dimension 0.5.0 on the same points: MLE(20), CorrInt, ESS(n_neighbors=50), FisherS.
TEST(IntrinsicDimension, OfWeylPointsEqualsScikitDimension) {
  const at::Tensor points = weyl_points();
  const Neighbours neighbours = nearest_neighbours(points, 50);
  EXPECT_NEAR(*levina_bickel(neighbours, 20).value, 5.835366841401139, 1e-9);
  EXPECT_NEAR(*correlation_dimension(points, neighbours).value, 5.15336497236404, 1e-9);
  EXPECT_NEAR(*simplex_skewness_dimension(points, neighbours).value, 5.764655397444534, 1e-9);
  EXPECT_NEAR(*separability_dimension(points).value, 6.251696329867058, 1e-9);
}

// Points on a circle: d = 1 without a border, but neighbours share their distances. The intervals
// hold the truth in 95 of 100 runs, within 4 standard errors; for independent ratios it is 86
// (TwoNN), 88 (Levina-Bickel) and 80 (GRIDE, n1 = 4).
TEST(IntrinsicDimension, IntervalsHoldTheTruthAsOftenAsTheySay) {
  constexpr int kRuns = 400;
  int two = 0, levina = 0, scale = 0;
  const auto holds = [](const Estimate& estimate) {
    return estimate.interval->low <= 1 && 1 <= estimate.interval->high;
  };
  for (int run = 0; run < kRuns; ++run) {
    const at::Tensor angle =
        2 * std::acos(-1.0) * uniform_points(600, 1, static_cast<uint64_t>(run));
    const Neighbours neighbours = nearest_neighbours(at::cat({angle.cos(), angle.sin()}, 1), 20);
    two += holds(two_nn(neighbours));
    levina += holds(levina_bickel(neighbours, 20));
    scale += holds(gride(neighbours).scales[2]);
  }
  const double tolerance = 4 * std::sqrt(kRuns * 0.95 * 0.05);
  EXPECT_NEAR(two, 0.95 * kRuns, tolerance);
  EXPECT_NEAR(levina, 0.95 * kRuns, tolerance);
  EXPECT_NEAR(scale, 0.95 * kRuns, tolerance);
}

// 2,500 points of a sphere of 10 dimensions: neighbours are too far by 6 to 10 %, which is known.
TEST(IntrinsicDimension, IntervalsReachOverTheBiasOfFarNeighbours) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    at::Tensor x = normal_points(2500, 11, seed);
    x /= x.norm(2, 1, true);
    const Neighbours neighbours = nearest_neighbours(x, 20);
    EXPECT_GE(two_nn(neighbours).interval->high, 10);
    EXPECT_GE(levina_bickel(neighbours, 20).interval->high, 10);
    EXPECT_NEAR(detail(levina_bickel(neighbours, 20), "sphere_dimension"), 10, 0.4);
  }
}

// Every sample twice, but for a little noise: ratios tell the noise from the set.
TEST(IntrinsicDimension, FlagsNearlyEqualPoints) {
  const at::Tensor points = normal_points(500, 5, 1).to(at::kDouble);
  const Neighbours neighbours =
      nearest_neighbours(at::cat({points, points + 1e-7 * normal_points(500, 5, 2)}), 20);
  for (const Estimate& estimate : {two_nn(neighbours), levina_bickel(neighbours, 20)}) {
    EXPECT_EQ(estimate.validity, Validity::ties);
    EXPECT_NE(estimate.reason.find("nearly equal samples"), std::string::npos) << estimate.reason;
  }
}

// A code with one feature for each sample, and noise: all are equally far from one another.
TEST(IntrinsicDimension, FlagsMoreThanTheFeatures) {
  const at::Tensor codes = at::eye(200, at::kDouble) + 1e-3 * normal_points(200, 200, 2);
  const Estimate estimate = two_nn(nearest_neighbours(codes, 2));
  EXPECT_GT(*estimate.value, 200);
  EXPECT_EQ(estimate.validity, Validity::out_of_range);
  EXPECT_NE(estimate.reason.find("more than the 200 features"), std::string::npos);
  const Estimate skewness = simplex_skewness_dimension(codes, nearest_neighbours(codes, 100));
  EXPECT_EQ(skewness.validity, Validity::saturated);
}

TEST(IntrinsicDimension, ByAnglesFlagsFewPoints) {
  const at::Tensor points = normal_points(20, 5, 1);
  EXPECT_EQ(separability_dimension(points).validity, Validity::too_few_samples);
  EXPECT_EQ(simplex_skewness_dimension(points, nearest_neighbours(points, 19)).validity,
            Validity::too_few_samples);
}

TEST(TwoNn, IsTheFirstScaleOfGride) {
  const Neighbours neighbours = nearest_neighbours(uniform_points(800, 4, 1), 16);
  const GrideProfile profile = gride(neighbours);
  EXPECT_NEAR(*profile.scales[0].value, *two_nn(neighbours).value, 1e-9);
  EXPECT_EQ(profile.scales.size(), 4U);
  EXPECT_EQ(detail(profile.scales[3], "n2"), 16);
}

TEST(TwoNn, DuplicatesAreDroppedAndCounted) {
  const at::Tensor points = uniform_points(500, 3, 2);
  const Estimate once = two_nn(nearest_neighbours(points, 2));
  const Estimate twice = two_nn(nearest_neighbours(at::cat({points, points}), 2));
  EXPECT_EQ(*twice.value, *once.value);
  EXPECT_EQ(detail(twice, "duplicates"), 500);
  EXPECT_EQ(twice.samples, 500);
}

TEST(TwoNn, SeesPointsWhoseSquaredDistancesUnderflow) {
  const at::Tensor points = uniform_points(500, 3, 3);
  const double expected = *two_nn(nearest_neighbours(points, 2)).value;
  const at::Tensor tiny = (points * 1e-25).to(at::kFloat);
  EXPECT_NEAR(*two_nn(nearest_neighbours(tiny, 2)).value, expected, 1e-3);
}

TEST(TwoNn, RefusesAGridAndFlagsRoundedPoints) {
  const at::Tensor grid = at::cartesian_prod({at::arange(20.0), at::arange(20.0)});
  const Estimate refused = two_nn(nearest_neighbours(grid, 2));
  EXPECT_TRUE(refused.refused());
  EXPECT_EQ(refused.validity, Validity::ties);
  const at::Tensor rounded = (uniform_points(2000, 3, 4) * 30).round();
  EXPECT_EQ(two_nn(nearest_neighbours(rounded, 2)).validity, Validity::ties);
}

TEST(TwoNn, RefusesTwoPoints) {
  const Estimate estimate = two_nn(nearest_neighbours(uniform_points(2, 3, 5), 2));
  EXPECT_TRUE(estimate.refused());
  EXPECT_EQ(estimate.validity, Validity::too_few_samples);
}

// Where neighbours are near, a sphere is flat: what is read is its dimension.
TEST(SphereReading, TendsToTheDimension) {
  for (const double d : {1.0, 2.0, 5.0})
    EXPECT_NEAR(sphere_reading(d, 1e9, ratio_between(1, 2)), d, 1e-3 * d);
  EXPECT_NEAR(sphere_reading(3, 1e9, ratio_between(8, 16)), 3, 3e-3);
  EXPECT_NEAR(sphere_reading(3, 1e9, mean_ratio_to(20)), 3, 3e-3);
}

// The mean of ln(r2 / r1) on uniform points of a sphere, in 40 runs.
TEST(SphereReading, IsWhatPointsOnASphereGive) {
  constexpr int64_t kPoints = 500, kDimension = 15;
  at::Tensor logs = at::empty({40}, at::kDouble);
  for (int64_t run = 0; run < 40; ++run) {
    at::Tensor x = normal_points(kPoints, kDimension + 1, static_cast<uint64_t>(100 + run));
    x /= x.norm(2, 1, true);
    logs[run] = 1 / *two_nn(nearest_neighbours(x, 2)).value;
  }
  const double mean = logs.mean().item<double>() * (kPoints - 1) / kPoints;
  const double error = logs.std().item<double>() / std::sqrt(40);
  EXPECT_NEAR(mean, 1 / sphere_reading(kDimension, kPoints, ratio_between(1, 2)), 3 * error);
}

TEST(TwoNn, FlagsADimensionThatIsTooHighForTheSamples) {
  const Estimate low = two_nn(nearest_neighbours(uniform_points(2000, 3, 6), 2));
  EXPECT_EQ(low.validity, Validity::ok);
  const Estimate high = two_nn(nearest_neighbours(normal_points(2000, 40, 6), 2));
  EXPECT_EQ(high.validity, Validity::out_of_range);
  EXPECT_FALSE(high.refused());
  EXPECT_GT(detail(high, "sphere_dimension"), 1.1 * *high.value);
}

// Flat in all directions: the dimension is 2 at every scale. Noise of another scale: it is not.
TEST(Gride, PlateauIsWhereScalesAgree) {
  at::Tensor points = at::zeros({4000, 5}, at::kDouble);
  points.narrow(1, 0, 2).copy_(uniform_points(4000, 2, 7));
  const Estimate flat = gride(nearest_neighbours(points, 32)).plateau;
  ASSERT_FALSE(flat.refused());
  EXPECT_LE(flat.interval->low, 2);
  EXPECT_GE(flat.interval->high, 2);
  points += 0.02 * uniform_points(4000, 5, 8);
  const GrideProfile noisy = gride(nearest_neighbours(points, 128));
  EXPECT_GT(*noisy.scales.front().value, 1.5 * *noisy.scales.back().value);
}

TEST(Gride, SaysWhereThereIsNoPlateau) {
  const Estimate none = gride(nearest_neighbours(uniform_points(100, 3, 9), 4)).plateau;
  EXPECT_TRUE(none.refused());
  EXPECT_NE(none.reason.find("no plateau"), std::string::npos);
}

TEST(Separability, RefusesWhereAllPairsAre) {
  const Estimate estimate = separability_dimension(normal_points(200, 150, 10));
  EXPECT_TRUE(estimate.refused());
  EXPECT_EQ(estimate.validity, Validity::too_few_samples);
}

// More coordinates than points: the same components from the other Gram matrix.
TEST(Separability, DoesNotDependOnWhichGramMatrixIsSmaller) {
  const at::Tensor points = weyl_points();  // [400, 6]
  const at::Tensor padded = at::constant_pad_nd(points, {0, 500});
  EXPECT_NEAR(*separability_dimension(padded).value, *separability_dimension(points).value, 1e-9);
}

}  // namespace
}  // namespace crrm
