#include "crrm/estimators/cone_projection.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace crrm {
namespace {

at::Tensor normal(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble);
}

ConeProjection project(const at::Tensor& points, const at::Tensor& t, double kappa = 0) {
  return project_onto_cone(points.matmul(points.t()), t.matmul(points.t()), kappa);
}

// The points are the axes, so v_i = max(t_i, kappa).
TEST(ConeProjection, OfTheOrthantClampsCoordinates) {
  const at::Tensor t = normal({20, 6}, 1);
  for (const double kappa : {0.0, 0.7}) {
    const ConeProjection found = project(at::eye(6, at::kDouble), t, kappa);
    EXPECT_TRUE(at::allclose(found.multipliers, (kappa - t).clamp_min(0), 0, 1e-14));
    EXPECT_TRUE(at::allclose(found.distance, (kappa - t).clamp_min(0).square().sum(1), 0, 1e-13));
    EXPECT_LE(found.violation, 1e-14);
  }
}

struct Shape {
  int64_t points, dimensions, repeated;
  double kappa;
};

// The conditions are checked on v itself, in the space of the points, not on the Gram matrix.
TEST(ConeProjection, MeetsTheConditionsOfOptimality) {
  for (const Shape& shape : {Shape{40, 60, 0, 0}, Shape{200, 12, 0, 0}, Shape{50, 12, 50, 0},
                             Shape{200, 12, 0, 0.5}, Shape{400, 300, 0, 0}, Shape{1, 3, 0, 0.5}}) {
    at::Tensor points = normal({shape.points, shape.dimensions}, 2);
    points.select(1, 0).fill_(2);  // all on one side, so that a margin can be kept
    points = at::cat({points, points.narrow(0, 0, shape.repeated)});
    const at::Tensor t = normal({10, shape.dimensions}, 3);
    const ConeProjection found = project(points, t, shape.kappa);
    const at::Tensor moved = found.multipliers.matmul(points);               // [T, N]
    const at::Tensor margin = (t + moved).matmul(points.t()) - shape.kappa;  // [T, M]
    const double scale = points.norm(2, 1).max().item<double>();
    EXPECT_GE(margin.min().item<double>(), -1e-9 * scale) << shape.points;
    EXPECT_GE(found.multipliers.min().item<double>(), 0) << shape.points;
    EXPECT_LE((margin * found.multipliers).abs().max().item<double>(), 1e-9) << shape.points;
    EXPECT_TRUE(at::allclose(found.distance, moved.square().sum(1), 1e-9, 1e-12)) << shape.points;
    EXPECT_LE(found.violation, kConeTolerance) << shape.points;
  }
}

// Moreau: with no margin, |t|^2 is shared between the projections onto the cone and onto its polar.
// More than 96 constraints are active, which takes the way through LAPACK.
TEST(ConeProjection, SplitsTheSquareOfADirection) {
  const at::Tensor points = normal({300, 400}, 4), t = normal({4, 400}, 5);
  const ConeProjection found = project(points, t);
  const at::Tensor v = t + found.multipliers.matmul(points);
  EXPECT_GT((found.multipliers > 0).sum(1).min().item<int64_t>(), 96);
  EXPECT_TRUE(at::allclose(v.square().sum(1) + found.distance, t.square().sum(1), 1e-10));
}

TEST(ConeProjection, OfSignedPointsIsThatOfMirroredOnes) {
  const at::Tensor points = normal({30, 20}, 6), t = normal({5, 20}, 7);
  const at::Tensor signs = normal({30}, 8).sign();
  const ConeProjection mirrored = project(points * signs.unsqueeze(1), t);
  const ConeProjection with_signs =
      project_onto_cone(points.matmul(points.t()), t.matmul(points.t()), 0, signs.expand({5, 30}));
  EXPECT_TRUE(at::allclose(with_signs.multipliers, mirrored.multipliers, 0, 1e-10));
}

TEST(ConeProjection, SaysThatNoDirectionKeepsTheMargin) {
  const at::Tensor points = at::tensor({1.0, -1.0}).to(at::kDouble).unsqueeze(1);
  EXPECT_GT(project(points, normal({3, 1}, 9), /*kappa=*/1).violation, 0.5);
}

}  // namespace
}  // namespace crrm
