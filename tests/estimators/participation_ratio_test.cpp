#include "crrm/estimators/participation_ratio.h"

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

// The jackknife with each row left out indeed, on either side of the smaller Gram matrix.
TEST(ParticipationRatio, HasTheIntervalOfTheJackknife) {
  for (const auto& sizes : {std::vector<int64_t>{40, 300}, std::vector<int64_t>{40, 25}}) {
    const int64_t n = sizes[0];
    const at::Tensor x = normal({n, 4}, 4).matmul(normal({4, sizes[1]}, 5)) + 1;
    std::vector<double> each;
    for (int64_t i = 0; i < n; ++i) {
      const at::Tensor others = at::cat({x.narrow(0, 0, i), x.narrow(0, i + 1, n - i - 1)});
      each.push_back(std::log(*participation_ratio(others).value));
    }
    const at::Tensor logarithms = at::tensor(each, at::kDouble);
    const double error =
        std::sqrt((logarithms - logarithms.mean()).square().sum().item<double>() * (n - 1) / n);
    const Estimate all = participation_ratio(x);
    EXPECT_NEAR(std::log(all.interval->high / *all.value), 1.959964 * error, 1e-6);
    EXPECT_NEAR(std::log(*all.value / all.interval->low), 1.959964 * error, 1e-6);
    EXPECT_EQ(all.validity, Validity::ok);
  }
}

TEST(ParticipationRatio, OfTooFewRowsSaysSo) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Estimate few = participation_ratio(normal({5, 64}, seed));
    EXPECT_EQ(few.validity, Validity::too_few_samples) << seed;
    EXPECT_LE(few.value.value_or(0), 64) << seed;
  }
}

// Features alike: the truth is their number.
TEST(ParticipationRatio, IsAtMostTheNumberOfColumns) {
  const Estimate found = participation_ratio(at::relu(normal({500, 50}, 1) - 2));
  EXPECT_LE(*found.value, 50);
  EXPECT_LT(found.interval->low, 50);
  EXPECT_EQ(found.interval->high, 50);
}

// Rows of equal distances: (x_i - x_j).(x_k - x_l) is zero for all distinct i, j, k, l.
TEST(ParticipationRatio, RefusesADenominatorOfRounding) {
  const Estimate found = participation_ratio(at::eye(200, at::kDouble));
  EXPECT_TRUE(found.refused());
  EXPECT_THAT(found.reason, HasSubstr("not positive"));
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
