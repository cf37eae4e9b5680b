#include "crrm/estimators/manifold_capacity.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/estimators/centre_correlation.h"
#include "crrm/estimators/mean_field.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;

// P manifolds of M points about orthogonal centres, spread by `radius` in `axes` dimensions of
// their own.
std::vector<at::Tensor> separate(int64_t count, int64_t points, int64_t axes, double radius) {
  at::Generator generator = at::detail::createCPUGenerator(7);
  std::vector<at::Tensor> manifolds;
  for (int64_t p = 0; p < count; ++p) {
    at::Tensor manifold = at::zeros({points, count * (axes + 1)}, at::kDouble);
    manifold.select(1, p).fill_(1);
    at::Tensor s = at::randn({points, axes}, generator, at::kDouble);
    s = radius * s / s.norm(2, 1, true);
    manifold.narrow(1, count + p * axes, axes).copy_(s - s.mean(0));
    manifolds.push_back(manifold);
  }
  return manifolds;
}

std::vector<at::Tensor> unrelated(int64_t count, int64_t points, int64_t dimensions) {
  std::vector<at::Tensor> manifolds;
  for (int64_t p = 0; p < count; ++p)
    manifolds.push_back(
        at::randn({points, dimensions}, at::detail::createCPUGenerator(p), at::kDouble));
  return manifolds;
}

// The README of the published code has 0.04, 1.47 and 36.17 for random data of M = 50.
TEST(ManifoldCapacity, OfUnrelatedPointsIsAtTheFloor) {
  const ManifoldCapacity found = manifold_capacity(unrelated(20, 50, 2000));
  EXPECT_NEAR(*found.capacity.value, 2.0 / 50, 0.03 * 2.0 / 50);
  EXPECT_NEAR(*found.radius.value, 1.475, 0.05);
  EXPECT_NEAR(*found.dimension.value, 36.1, 0.5);
  EXPECT_EQ(found.capacity.validity, Validity::saturated);
  EXPECT_THAT(found.capacity.reason, HasSubstr("2 / M = 0.04"));
}

// Subtracting the global mean shortens P orthogonal centres by sqrt(1 - 1 / P).
TEST(ManifoldCapacity, OfSmallManifoldsIsThatOfBalls) {
  const ManifoldCapacity found = manifold_capacity(separate(10, 20, 4, 0.01), {.directions = 3000});
  EXPECT_NEAR(*found.capacity.value, ball_capacity(0.01 / std::sqrt(0.9), 4, 0), 0.06);
  EXPECT_NEAR(*found.radius.value, 0.01, 0.002);
  EXPECT_EQ(found.capacity.validity, Validity::ok);
  EXPECT_EQ(found.capacities.sizes(), (at::IntArrayRef{10}));
}

TEST(ManifoldCapacity, FallsWithTheRadius) {
  double last = 2.1;
  for (const double radius : {0.1, 0.5, 1.0, 2.0}) {
    const double now = *manifold_capacity(separate(6, 40, 5, radius)).capacity.value;
    EXPECT_LT(now, last);
    last = now;
  }
}

// Scaling, turning and moving all points changes nothing that the theory sees.
TEST(ManifoldCapacity, IgnoresScaleRotationAndOrigin) {
  std::vector<at::Tensor> manifolds = separate(4, 10, 3, 0.8);
  const ManifoldCapacity plain = manifold_capacity(manifolds);
  const at::Tensor axes = std::get<0>(
      at::linalg_qr(at::randn({16, 16}, at::detail::createCPUGenerator(1), at::kDouble)));
  for (at::Tensor& manifold : manifolds) manifold = 5 * manifold.matmul(axes) + 3;
  const ManifoldCapacity moved = manifold_capacity(manifolds, {.directions = 300});
  // The axes of a frame may be turned or mirrored, so directions differ.
  EXPECT_NEAR(*moved.capacity.value, *plain.capacity.value, 0.15 * *plain.capacity.value);
  EXPECT_NEAR(*moved.centre_correlation.value, *plain.centre_correlation.value, 1e-9);
}

TEST(ManifoldCapacity, TakesManifoldsOfDifferentSizes) {
  std::vector<at::Tensor> manifolds = separate(3, 12, 2, 0.5);
  manifolds[1] = manifolds[1].narrow(0, 0, 7);
  const ManifoldCapacity found = manifold_capacity(manifolds);
  EXPECT_TRUE(found.capacity.value);
  EXPECT_THAT(found.capacity.details,
              ::testing::Contains(std::pair<std::string, double>("M smallest", 7)));
}

TEST(ManifoldCapacity, SaysWhereItCannotBeBelieved) {
  const auto validity = [](const std::vector<at::Tensor>& manifolds) {
    return manifold_capacity(manifolds).capacity.validity;
  };
  std::vector<at::Tensor> repeated = separate(3, 8, 4, 0.2);
  repeated[0] = at::cat({repeated[0], repeated[0].narrow(0, 0, 2)});
  EXPECT_EQ(validity(repeated), Validity::ties);
  EXPECT_EQ(validity(unrelated(5, 30, 20)), Validity::out_of_range);
}

TEST(ManifoldCapacity, RefusesWhatHasNone) {
  const ManifoldCapacity one = manifold_capacity(unrelated(1, 10, 20));
  EXPECT_TRUE(one.capacity.refused());
  EXPECT_THAT(one.capacity.reason, HasSubstr("one manifold"));
  const ManifoldCapacity points = manifold_capacity(unrelated(5, 1, 20));
  EXPECT_THAT(points.radius.reason, HasSubstr("one point has no radius"));
  std::vector<at::Tensor> centred = unrelated(3, 10, 20);
  for (at::Tensor& manifold : centred) manifold = manifold - manifold.mean(0);
  EXPECT_THAT(manifold_capacity(centred).capacity.reason, HasSubstr("is the global mean"));
}

TEST(ManifoldCapacity, RejectsWhatIsNoManifold) {
  const auto message = [](const std::vector<at::Tensor>& manifolds, CapacityOptions options = {}) {
    try {
      manifold_capacity(manifolds, options);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const at::Tensor points = at::ones({3, 4});
  EXPECT_THAT(message({}), HasSubstr("none"));
  EXPECT_THAT(message({points, at::ones({3, 5})}), HasSubstr("points of 4 dimensions"));
  EXPECT_THAT(message({points, points / 0}), HasSubstr("finite values"));
  EXPECT_THAT(message({points, points}, {.kappa = -1}), HasSubstr("0 or more"));
  EXPECT_THAT(message({points, points}, {.directions = 1}), HasSubstr("2 or more"));
}

// A projection keeps inner products in the mean; with as many dimensions it is left out.
TEST(ManifoldCapacity, ProjectsWhereDimensionsAreMany) {
  const std::vector<at::Tensor> manifolds = separate(8, 20, 3, 0.5);  // 32 dimensions
  const double exact = *manifold_capacity(manifolds).capacity.value;
  EXPECT_EQ(*manifold_capacity(manifolds, {.project_to = 32}).capacity.value, exact);
  std::vector<at::Tensor> wide;
  for (const at::Tensor& manifold : manifolds) wide.push_back(manifold.repeat({1, 100}) / 10);
  const ManifoldCapacity projected = manifold_capacity(wide, {.project_to = 1500});
  EXPECT_NEAR(*projected.capacity.value, exact, 0.1 * exact);
  EXPECT_THAT(projected.capacity.details,
              ::testing::Contains(std::pair<std::string, double>("N", 1500)));
}

// Two centres about their mean are opposite, and their one direction is all that tells them apart.
TEST(ManifoldCapacity, IsGivenForTwoManifolds) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::vector<at::Tensor> two = unrelated(2, 40, 64);
    two[0] = two[0] + 1;
    two[1] = two[1] - 1 + 1e-3 * static_cast<double>(seed);
    const ManifoldCapacity found = manifold_capacity(two);
    ASSERT_TRUE(found.capacity.value) << found.capacity.reason;
    EXPECT_NEAR(*found.centre_correlation.value, 1, 1e-12);
  }
}

// Two shared directions of large weight on top of orthogonal centres: both are found, no other.
TEST(CentreCorrelation, FindsTheSharedDirections) {
  const at::Tensor common = at::randn({12, 2}, at::detail::createCPUGenerator(3), at::kDouble);
  const at::Tensor centres = at::cat({4 * common, at::eye(12, at::kDouble)}, 1);  // [12, 14]
  const at::Tensor shared = shared_centre_directions(centres);
  EXPECT_EQ(shared.sizes(), (at::IntArrayRef{2, 14}));
  const at::Tensor rest = centres - centres.matmul(shared.t()).matmul(shared);
  EXPECT_LT(centre_correlation(rest), 0.5 * centre_correlation(centres));
  EXPECT_EQ(shared_centre_directions(at::eye(5, at::kDouble)).size(0), 0);
  const at::Tensor one = common.select(1, 0).unsqueeze(0);
  EXPECT_EQ(shared_centre_directions(at::cat({one, -one})).size(0), 0);
  EXPECT_DOUBLE_EQ(centre_correlation(at::ones({3, 2}, at::kDouble)), 1);
}

}  // namespace
}  // namespace crrm
