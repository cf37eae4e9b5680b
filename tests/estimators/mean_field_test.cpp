#include "crrm/estimators/mean_field.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace crrm {
namespace {

ManifoldGeometry geometry(const at::Tensor& frame, double kappa, int64_t directions) {
  return mean_field_geometry(frame, kappa, directions, at::detail::createCPUGenerator(1));
}

// At R = 1 the cone over the ball is its own dual; R to infinity leaves the half space of a margin.
TEST(MeanField, BallsInClosedForm) {
  for (const int64_t dimension : {1, 2, 5, 10, 50}) {
    EXPECT_NEAR(ball_capacity(1, dimension, 0), 2.0 / (dimension + 1), 1e-8) << dimension;
    EXPECT_NEAR(ball_capacity(1e4, dimension, 0), 1 / (dimension + 0.5), 1e-4) << dimension;
    EXPECT_NEAR(ball_capacity(1e-4, dimension, 0.5), point_capacity(0.5), 5e-3) << dimension;
  }
}

// The frame of orthogonal points of one norm is a simplex about its centre, and its cone an
// orthant.
TEST(MeanField, FrameOfOrthogonalPointsIsASimplex) {
  const at::Tensor frame = own_frame(3 * at::eye(7, at::kDouble));
  EXPECT_EQ(frame.sizes(), (at::IntArrayRef{7, 6}));
  const at::Tensor lifted = frame.matmul(frame.t()) + 1;
  EXPECT_TRUE(at::allclose(lifted, 7 * at::eye(7, at::kDouble), 0, 1e-12));
}

// Within five standard errors, which are below 1 %.
TEST(MeanField, ErrorsOfTheMeanHoldTheTruth) {
  const double truth = 0.5 + 2 / std::numbers::pi * std::atan(2.0);
  const at::Tensor segment = at::tensor({2.0, -2.0}).to(at::kDouble).unsqueeze(1);
  const DirectionMean inverse = geometry(segment, 0, 40000).inverse_capacity;
  EXPECT_NEAR(inverse.value, truth, 5 * inverse.error);
  EXPECT_LT(inverse.error, 0.01 * truth);
}

// A margin costs capacity, and a point keeps the theory's.
TEST(MeanField, MarginOfAPoint) {
  const at::Tensor point = at::zeros({1, 0}, at::kDouble);
  for (const double kappa : {0.0, 0.5, 2.0}) {
    const ManifoldGeometry found = geometry(point, kappa, 40000);
    EXPECT_NEAR(found.inverse_capacity.value, 1 / point_capacity(kappa),
                5 * found.inverse_capacity.error);
    EXPECT_EQ(found.radius.value, 0);
  }
}

// Of what it sees, R and D are a ball's: points spread over a sphere of radius 3 in three
// dimensions.
TEST(MeanField, RadiusAndDimensionOfADenseSphere) {
  const at::Tensor normal = at::randn({400, 3}, at::detail::createCPUGenerator(2), at::kDouble);
  const ManifoldGeometry found = geometry(3 * normal / normal.norm(2, 1, true), 0, 1000);
  EXPECT_NEAR(1 / found.inverse_capacity.value, ball_capacity(3, 3, 0), 0.02);
  EXPECT_NEAR(found.dimension.value, 3, 0.15);
  EXPECT_LE(found.violation, 1e-8);
}

}  // namespace
}  // namespace crrm
