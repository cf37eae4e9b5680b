// Manifolds of known dimension: Hein & Audibert, ICML 2005, and Campadelli et al., Math. Probl.
// Eng. 2015, by the formulas of scikit-dimension's BenchmarkManifolds.
#include <gtest/gtest.h>

#include <numbers>

#include "crrm/estimators/gride.h"
#include "crrm/estimators/intrinsic_dimension.h"
#include "tests/estimators/sampled_points.h"

namespace crrm {
namespace {

constexpr int64_t kPoints = 2500;
constexpr uint64_t kSeeds = 5;
constexpr double kTurn = 2 * std::numbers::pi;

at::Tensor sphere(uint64_t seed) {  // M1, d = 10
  const at::Tensor x = normal_points(kPoints, 11, seed).to(at::kDouble);
  return x / x.norm(2, 1, true);
}

at::Tensor nonlinear_4_in_6(uint64_t seed) {  // M3, d = 4
  const auto p = uniform_points(kPoints, 4, seed).unbind(1);
  return at::stack({p[1].square() * (kTurn * p[0]).cos(), p[2].square() * (kTurn * p[0]).sin(),
                    p[1] + p[2] + (p[1] - p[3]).square(), p[1] - 2 * p[2] + (p[0] - p[3]).square(),
                    -p[1] - 2 * p[2] + (p[2] - p[3]).square(),
                    p[0].square() - p[1].square() + p[2].square() - p[3].square()},
                   1);
}

// M4 (d = 4), M6 (6), M8 (12). The second half of their coordinates repeats the first: a factor on
// all distances.
at::Tensor nonlinear(int64_t d, uint64_t seed) {
  const at::Tensor p = uniform_points(kPoints, d, seed), next = p.roll(-1, 1);
  return at::cat({next * (kTurn * p).cos(), next * (kTurn * p).sin()}, 1);
}

at::Tensor cube(int64_t d, uint64_t seed) {
  return uniform_points(kPoints, d, seed);
}  // M9, d = 20

at::Tensor cube_faces(int64_t d, uint64_t seed) {  // M10a, d = 10
  const at::Tensor x = uniform_points(kPoints, d + 1, seed);
  const at::Tensor face = at::arange(kPoints);
  return x.scatter(1, face.remainder(d + 1).unsqueeze(1),
                   face.remainder(2).to(at::kDouble).unsqueeze(1));
}

// M12, d = 20
at::Tensor gaussian(uint64_t seed) {
  return normal_points(kPoints, 20, seed);
}

struct Row {
  const char* name;
  std::function<at::Tensor(uint64_t)> sample;
  double two_nn, mle10, mle20, gride2, gride8, gride32;
};

// Means of 5 seeds of another implementation (scikit-dimension's generators and TwoNN; GRIDE by its
// equations). Both sides are means of 5 runs, hence 3 sd sqrt(2/5); the sd is TwoNN's, d / sqrt(n),
// the largest of the six.
TEST(BenchmarkManifolds, EqualTheTable) {
  const std::vector<Row> table = {
      {"M1", sphere, 9.41, 9.15, 8.98, 9.26, 8.92, 8.46},
      {"M3", nonlinear_4_in_6, 3.87, 3.82, 3.77, 3.83, 3.76, 3.57},
      {"M4", [](uint64_t s) { return nonlinear(4, s); }, 3.93, 3.92, 3.96, 3.89, 3.96, 4.28},
      {"M6", [](uint64_t s) { return nonlinear(6, s); }, 5.85, 6.22, 6.38, 6.07, 6.47, 6.92},
      {"M8", [](uint64_t s) { return nonlinear(12, s); }, 12.90, 13.52, 13.46, 13.55, 13.52, 12.91},
      {"M9", [](uint64_t s) { return cube(20, s); }, 15.46, 14.77, 14.44, 15.02, 14.28, 13.29},
      {"M10a", [](uint64_t s) { return cube_faces(10, s); }, 9.13, 8.81, 8.66, 8.93, 8.59, 8.16},
      {"M12", gaussian, 16.78, 16.00, 15.47, 16.60, 15.35, 13.71}};
  for (const Row& row : table) {
    at::Tensor mean = at::zeros({6}, at::kDouble);
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const Neighbours neighbours = nearest_neighbours(row.sample(seed), 64);
      const std::vector<Estimate> scales = gride(neighbours).scales;
      mean += at::tensor({*two_nn(neighbours).value, *levina_bickel(neighbours, 10).value,
                          *levina_bickel(neighbours, 20).value, *scales[1].value, *scales[3].value,
                          *scales[5].value},
                         at::kDouble);
    }
    mean /= static_cast<double>(kSeeds);
    const at::Tensor expected = at::tensor(
        {row.two_nn, row.mle10, row.mle20, row.gride2, row.gride8, row.gride32}, at::kDouble);
    const double tolerance = 3 * std::sqrt(0.4) * row.two_nn / std::sqrt(kPoints);
    EXPECT_LE((mean - expected).abs().max().item<double>(), tolerance) << row.name << "\n" << mean;
  }
}

}  // namespace
}  // namespace crrm
