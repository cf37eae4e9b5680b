#include "crrm/estimators/neighbours.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "tests/estimators/sampled_points.h"

namespace crrm {
namespace {

// All distances in float64 from differences. @param points [n, d], no two rows equal
Neighbours brute_force(const at::Tensor& points, int64_t k) {
  const at::Tensor x = points.to(at::kDouble);
  std::vector<at::Tensor> distances, indices;
  for (int64_t i = 0; i < x.size(0); ++i) {
    at::Tensor from = (x - x[i]).norm(2, 1);
    from[i] = std::numeric_limits<double>::infinity();
    const auto [order, index] = from.sort(std::optional<bool>(true), 0);
    distances.push_back(order.narrow(0, 0, k));
    indices.push_back(index.narrow(0, 0, k));
  }
  return {.distances = at::stack(distances),
          .indices = at::stack(indices),
          .rows = at::arange(x.size(0))};
}

void expect_exact(const at::Tensor& points, int64_t k) {
  const Neighbours expected = brute_force(points, k);
  const Neighbours found = nearest_neighbours(points, k);
  EXPECT_EQ(found.duplicates, 0);
  EXPECT_TRUE(found.distances.allclose(expected.distances, 1e-13, 0));
  EXPECT_TRUE(found.indices.equal(expected.indices));
}

TEST(Neighbours, EqualBruteForce) {
  expect_exact(normal_points(1500, 40, 1), 12);
  expect_exact(normal_points(1100, 3, 2).to(at::kDouble), 1);
}

// In float32, |x|^2 + |y|^2 - 2 x.y of these would be noise of 1e5.
TEST(Neighbours, AreExactFarFromTheOrigin) {
  expect_exact(normal_points(1200, 20, 3) + 1000, 10);
  expect_exact(normal_points(1200, 20, 3).to(at::kDouble) + 1e7, 10);
}

// Centring does not help against clusters: their points are nearer to each other than float32 can
// tell.
TEST(Neighbours, AreExactInsideClustersThatAreFarApart) {
  const at::Tensor inside = normal_points(1200, 16, 4).to(at::kDouble);
  const at::Tensor side = at::arange(1200).remainder(2).to(at::kDouble).unsqueeze(1);
  expect_exact(inside + 1e6 * side, 10);
}

// A point far away raises no bound but its own.
TEST(Neighbours, AreExactBesideAnOutlier) {
  at::Tensor points = normal_points(1200, 16, 5);
  points[7] *= 1e6;
  expect_exact(points, 10);
}

// Squares of these underflow in float32, and those of the last in float64.
TEST(Neighbours, DoNotDependOnTheUnit) {
  const at::Tensor points = normal_points(600, 8, 6).to(at::kDouble);
  const Neighbours expected = nearest_neighbours(points, 5);
  for (const int exponent : {-80, -100, -600, 80, 600}) {
    const double unit = std::exp2(exponent);
    const Neighbours found = nearest_neighbours(points * unit, 5);
    EXPECT_TRUE((found.distances / unit).equal(expected.distances)) << exponent;
    if (std::abs(exponent) > 100) continue;
    EXPECT_TRUE((nearest_neighbours((points * unit).to(at::kFloat), 5).distances / unit)
                    .allclose(expected.distances, 1e-4, 0))
        << exponent;
  }
}

TEST(Neighbours, DropEqualRowsAndCountThem) {
  const at::Tensor points = normal_points(500, 6, 7);
  const at::Tensor twice = at::cat({points, points.flip(0).narrow(0, 0, 120)});
  const Neighbours expected = nearest_neighbours(points, 4), found = nearest_neighbours(twice, 4);
  EXPECT_EQ(found.duplicates, 120);
  EXPECT_TRUE(found.rows.equal(at::arange(500)));
  EXPECT_TRUE(found.distances.equal(expected.distances));
  EXPECT_TRUE(found.indices.equal(expected.indices));
}

TEST(Neighbours, IndicesAreRowsOfTheGivenPoints) {
  const at::Tensor points = at::tensor({0.0, -0.0, 1.0, 3.0}).unsqueeze(1);
  const Neighbours found = nearest_neighbours(points, 9);  // [3, 2]
  EXPECT_TRUE(found.rows.equal(at::tensor({0, 2, 3}, at::kLong)));
  EXPECT_TRUE(found.indices.equal(at::tensor({2, 3, 0, 3, 2, 0}, at::kLong).view({3, 2})));
  EXPECT_TRUE(found.distances.equal(at::tensor({1.0, 3.0, 1.0, 2.0, 2.0, 3.0}).view({3, 2})));
}

TEST(Neighbours, AreTheSameForAnyNumberOfThreads) {
  const at::Tensor points = normal_points(1500, 10, 8);
  at::set_num_threads(2);
  const Neighbours two = nearest_neighbours(points, 8);
  at::set_num_threads(1);
  EXPECT_TRUE(nearest_neighbours(points, 8).distances.equal(two.distances));
}

TEST(Neighbours, OnePointHasNone) {
  EXPECT_EQ(nearest_neighbours(at::ones({5, 3}), 4).k(), 0);
}

TEST(Neighbours, RefusePointsThatAreNotFinite) {
  at::Tensor points = normal_points(10, 2, 9);
  points[3][1] = NAN;
  try {
    nearest_neighbours(points, 2);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.fault().place, "row 3");
  }
  EXPECT_THROW(nearest_neighbours(at::ones({4}), 2), InputError);
}

}  // namespace
}  // namespace crrm
