#include "crrm/estimators/spectrum.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;

at::Tensor normal(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble);
}

TEST(Spectrum, IsThatOfTheSingularValues) {
  for (const auto& sizes : {std::vector<int64_t>{12, 5}, std::vector<int64_t>{5, 12}}) {
    const at::Tensor x = normal(sizes, 1);
    EXPECT_TRUE(at::allclose(spectrum(x).squares, at::linalg_svdvals(x).square(), 1e-10));
  }
}

// Singular values 3, 2, 1: p = {1/2, 1/3, 1/6}.
TEST(Spectrum, RanksOfThreeValues) {
  const Spectrum of_three = spectrum(at::diag(at::tensor({1.0, 3.0, 2.0, 0.0}, at::kDouble)));
  const double entropy = std::log(2) / 2 + std::log(3) / 3 + std::log(6) / 6;
  EXPECT_NEAR(*effective_rank(of_three).value, std::exp(entropy), 1e-12);
  EXPECT_NEAR(*stable_rank(of_three).value, 14.0 / 9, 1e-12);
  EXPECT_EQ(*energy_rank(of_three, 9.0 / 14).value, 1);
  EXPECT_EQ(*energy_rank(of_three).value, 2);  // 13/14 > 0.9
  EXPECT_EQ(*energy_rank(of_three, 1).value, 3);
}

// An outer product keeps rank one in spite of rounding, in float32 too.
TEST(Spectrum, RoundingIsNoRank) {
  const at::Tensor x = normal({200, 1}, 2).matmul(normal({1, 300}, 3));
  EXPECT_NEAR(*effective_rank(spectrum(x)).value, 1, 1e-12);
  EXPECT_EQ(*energy_rank(spectrum(x), 1).value, 1);
}

TEST(Spectrum, RefusesTheZeroMatrix) {
  const Spectrum zero = spectrum(at::zeros({3, 4}));
  EXPECT_TRUE(effective_rank(zero).refused());
  EXPECT_TRUE(stable_rank(zero).refused());
  EXPECT_TRUE(energy_rank(zero).refused());
  EXPECT_THAT(
      [] {
        spectrum(at::full({2, 2}, NAN));
      },
      ::testing::ThrowsMessage<InputError>(HasSubstr("finite")));
}

// Averages over distinct rows and columns, as sums over all of them.
double by_loops(const at::Tensor& x, bool distinct_columns) {
  const auto a = x.accessor<double, 2>();
  const int64_t n = x.size(0), d = x.size(1);
  double above = 0, below = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t k = 0; k < n; ++k)
        for (int64_t l = 0; l < n; ++l) {
          if (i == j || i == k || i == l || j == k || j == l || k == l) continue;
          for (int64_t p = 0; p < d; ++p)
            for (int64_t q = 0; q < d; ++q) {
              if (distinct_columns && p == q) continue;
              const double first = a[i][p] - a[j][p], second = a[k][q] - a[l][q];
              above += first * first * second * second;
              below += first * (a[k][p] - a[l][p]) * (a[i][q] - a[j][q]) * second;
            }
        }
  return above / below;
}

TEST(ParticipationRatio, IsTheAverageOverDistinctRowsAndColumns) {
  const at::Tensor x = normal({6, 1}, 4).matmul(normal({1, 4}, 5)) + normal({6, 4}, 6) / 2 + 3;
  EXPECT_NEAR(*participation_ratio(x, SampledAxes::rows).value, by_loops(x, false), 1e-9);
  EXPECT_NEAR(*participation_ratio(x, SampledAxes::both).value, by_loops(x, true), 1e-9);
}

// x_ij = sin(0.37 k^2) + 0.005 k j + 2, k = 5 i + j, in dimensionality 0.1.4, the authors' package.
TEST(ParticipationRatio, IsThatOfTheAuthors) {
  const at::Tensor k = at::arange(0, 60, at::kDouble).view({12, 5});
  const at::Tensor x = at::sin(0.37 * k * k) + 0.005 * k * at::arange(0, 5, at::kDouble) + 2;
  EXPECT_NEAR(*participation_ratio(x, SampledAxes::none).value, 3.377455962493, 1e-10);
  EXPECT_NEAR(*participation_ratio(x, SampledAxes::rows).value, 4.762796309897, 1e-10);
  EXPECT_NEAR(*participation_ratio(x, SampledAxes::both).value, 45.56453499025, 1e-8);
}

// Truth 400 for the rows, infinite for columns too; the plain ratio is near 1 / (1 / 200 + 1 /
// 400).
TEST(ParticipationRatio, OfFewRowsIsCorrected) {
  const at::Tensor x = normal({200, 400}, 5);
  const Estimate plain = participation_ratio(x, SampledAxes::none);
  EXPECT_NEAR(*plain.value, 200.0 * 400 / 600, 0.01 * 133);
  EXPECT_EQ(plain.validity, Validity::too_few_samples);
  EXPECT_NEAR(*participation_ratio(x).value, 400, 0.03 * 400);
}

// Eigenvalues 1/k of 40 latent axes, mixed into 300 columns by weights N(0, 1).
TEST(ParticipationRatio, DoesNotDependOnTheSampleSize) {
  const at::Tensor values = at::arange(1, 41, at::kDouble).reciprocal();
  const double truth = (values.sum().square() / values.square().sum()).item<double>();
  for (const int64_t rows : {60, 500}) {
    double inverse = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const at::Tensor latent = normal({rows, 40}, 100 + seed) * values.sqrt();
      const at::Tensor x = latent.matmul(normal({40, 300}, 200 + seed));
      inverse += 1 / *participation_ratio(x, SampledAxes::both).value / 40;
    }
    EXPECT_NEAR(1 / inverse, truth, 0.06 * truth) << rows;
  }
}

TEST(ParticipationRatio, RefusesWhatHasNone) {
  EXPECT_EQ(participation_ratio(normal({3, 5}, 8)).validity, Validity::too_few_samples);
  EXPECT_TRUE(participation_ratio(normal({3, 5}, 8), SampledAxes::none).value);
  EXPECT_THAT(participation_ratio(at::ones({9, 5})).reason, HasSubstr("do not vary"));
}

}  // namespace
}  // namespace crrm
