#include "crrm/activations/projection.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace crrm {
namespace {

at::Tensor gaussian(int64_t n, int64_t d) {
  return at::randn({n, d}, at::detail::createCPUGenerator(3), at::TensorOptions(at::kFloat));
}

at::Tensor squared_norms(const at::Tensor& rows) {  // [n]
  return rows.to(at::kDouble).square().sum(1);
}

// The ratio of squared norms has mean 1 and variance 2 / columns (Kane & Nelson 2014), so that of
// n = 400 independent rows lies within 4 standard errors.
TEST(Projection, KeepsNormsWithTheErrorThatItStates) {
  constexpr int64_t kRows = 400, kColumns = 512;
  const at::Tensor rows = gaussian(kRows, 6000);
  const at::Tensor ratio = squared_norms(project(rows, kColumns, 5)) / squared_norms(rows);
  const double sd = std::sqrt(2.0 / kColumns);
  EXPECT_NEAR(ratio.mean().item<double>(), 1, 4 * sd / std::sqrt(kRows));
  EXPECT_NEAR(ratio.std().item<double>(), sd, 4 * sd / std::sqrt(2.0 * kRows));
}

// One feature alone has signs of size 8^-1/2 in 8 places: its norm stays exactly.
TEST(Projection, KeepsTheNormOfASingleFeatureExactly) {
  const at::Tensor projected = project(at::eye(1000), 64, 7);
  EXPECT_LT((squared_norms(projected) - 1).abs().max().item<double>(), 1e-6);
  EXPECT_EQ((projected != 0).sum(1).min().item<int64_t>(), 8);
}

TEST(Projection, IsLinearAndDependsOnTheSeedAlone) {
  const at::Tensor rows = gaussian(3, 500);
  const at::Tensor sum = project(rows.narrow(0, 0, 1) + rows.narrow(0, 1, 1), 64, 1);
  const at::Tensor projected = project(rows, 64, 1);
  EXPECT_TRUE(at::allclose(sum[0], projected[0] + projected[1], 1e-4, 1e-5));
  EXPECT_TRUE(at::equal(projected, project(rows, 64, 1)));
  EXPECT_FALSE(at::equal(projected, project(rows, 64, 2)));
}

TEST(Projection, LeavesNarrowLayersAsTheyAre) {
  const at::Tensor rows = gaussian(3, 50);
  EXPECT_TRUE(project(rows, 64, 1).is_same(rows));
}

}  // namespace
}  // namespace crrm
