#include "crrm/estimators/glue.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;

at::Tensor normal(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble);
}

std::vector<at::Tensor> orthogonal(int64_t count, int64_t points) {
  const at::Tensor axes = at::eye(count * points, at::kDouble);
  return axes.split(points);
}

// Centres `centres` [P, N], points spread about them by `spread`.
std::vector<at::Tensor> clouds(const at::Tensor& centres, int64_t points, double spread) {
  std::vector<at::Tensor> manifolds;
  for (int64_t p = 0; p < centres.size(0); ++p)
    manifolds.push_back(centres[p] + spread * normal({points, centres.size(1)}, 50 + p));
  return manifolds;
}

// The signed cone is an orthant, whatever the dichotomy: a sums P M / 2 halves of squares in the
// mean.
TEST(Glue, CapacityOfOrthogonalPointsIsAtTheFloor) {
  for (const int64_t points : {1, 4, 10}) {
    const Glue found = glue(orthogonal(8, points), {.directions = 4000});
    EXPECT_NEAR(*found.capacity.value, 2.0 / points, 0.02 * 2.0 / points) << points;
    EXPECT_EQ(found.capacity.validity, Validity::saturated) << points;
    EXPECT_THAT(found.capacity.reason, HasSubstr("unrelated points"));
  }
}

TEST(Glue, PointsHaveNoDimensionAndNoRadius) {
  const Glue found = glue(orthogonal(8, 1));
  EXPECT_EQ(*found.dimension.value, 0);
  EXPECT_THAT(found.radius.reason, HasSubstr("do not vary"));
  EXPECT_NEAR(*found.centre_alignment.value, 0, 1e-12);
}

// x_pij = sin(1.7 (p+1)(j+1)) + sin(2.53 (6p+i+1)(j+1)) / 2, P = 4, M = 6, N = 12, in NumPy with
// scipy.optimize.nnls and numpy.linalg.lstsq over 20,000 directions of its own.
TEST(Glue, AgreesWithAnotherImplementation) {
  std::vector<at::Tensor> manifolds;
  const at::Tensor j = at::arange(1, 13, at::kDouble);
  for (int64_t p = 0; p < 4; ++p) {
    const at::Tensor i = at::arange(6 * p + 1, 6 * p + 7, at::kDouble).unsqueeze(1);
    manifolds.push_back(at::sin(1.7 * (p + 1) * j) + at::sin(2.53 * i * j) / 2);
  }
  const Glue found = glue(manifolds, {.directions = 20000});
  EXPECT_NEAR(*found.capacity.value, 1.0184, 0.02 * 1.0184);
  EXPECT_NEAR(*found.dimension.value, 1.2758, 0.02 * 1.2758);
  EXPECT_NEAR(*found.radius.value, 0.45508, 0.02 * 0.45508);
  EXPECT_NEAR(*found.utility.value, 0.2229, 0.02 * 0.2229);
  EXPECT_NEAR(*found.centre_alignment.value, 0.070838, 0.02 * 0.070838);
  EXPECT_NEAR(*found.axis_alignment.value, 0.21804, 0.02 * 0.21804);
  EXPECT_NEAR(*found.centre_axis_alignment.value, 0.17702, 0.02 * 0.17702);
  EXPECT_EQ(found.capacity.validity, Validity::ok);
}

TEST(Glue, CapacityIsUtilityTimesGeometry) {
  const Glue found = glue(clouds(normal({6, 30}, 1), 12, 0.3));
  EXPECT_NEAR(
      *found.capacity.value,
      *found.utility.value * (1 + std::pow(*found.radius.value, -2)) / *found.dimension.value,
      1e-9);
  EXPECT_LE(*found.utility.value, 1);
}

// Centres of one norm: what they share costs capacity, and shows as alignment and as radius
// (Wakhloo, Sussman, Chung, PRL 131, 027301, 2023).
TEST(Glue, SharedCentresActAsRadius) {
  const at::Tensor centres = normal({8, 40}, 2), shared = normal({1, 40}, 3);
  const Glue apart = glue(clouds(centres, 15, 0.2));
  const Glue together = glue(clouds((centres + 2 * shared) / std::sqrt(5.0), 15, 0.2));
  EXPECT_LT(*together.capacity.value, *apart.capacity.value);
  EXPECT_GT(*together.centre_alignment.value, 2 * *apart.centre_alignment.value);
  EXPECT_GT(*together.radius.value, *apart.radius.value);
}

// With one side for all, a shared centre is no burden.
TEST(Glue, TakesTheDichotomiesGiven) {
  const std::vector<at::Tensor> manifolds =
      clouds(normal({6, 40}, 2) + 3 * normal({1, 40}, 3), 15, 0.2);
  const double all_alike = *glue(manifolds, {.dichotomies = at::ones({1, 6})}).capacity.value;
  EXPECT_GT(all_alike, 2 * *glue(manifolds).capacity.value);
}

TEST(Glue, SaysThatNoPlaneSeparates) {
  const Glue found = glue(clouds(at::zeros({5, 8}, at::kDouble), 30, 1), {.directions = 20});
  EXPECT_NEAR(*found.capacity.value, 5.0 / 8, 0.3);
  EXPECT_EQ(found.capacity.validity, Validity::saturated);
  EXPECT_THAT(found.capacity.reason, HasSubstr("no plane separates 100 %"));
}

TEST(Glue, RefusesAndRejects) {
  EXPECT_THAT(glue(orthogonal(1, 5)).capacity.reason, HasSubstr("one manifold"));
  EXPECT_THAT(glue({at::zeros({2, 3}), at::zeros({2, 3})}).radius.reason, HasSubstr("are zero"));
  const auto with = [](GlueOptions options) {
    return [options] { glue(orthogonal(3, 2), options); };
  };
  EXPECT_THAT(with({.directions = 1}),
              ::testing::ThrowsMessage<InputError>(HasSubstr("2 or more")));
  EXPECT_THAT(with({.dichotomies = at::ones({1, 4})}),
              ::testing::ThrowsMessage<InputError>(HasSubstr("[., 3] of 1 and -1")));
}

}  // namespace
}  // namespace crrm
