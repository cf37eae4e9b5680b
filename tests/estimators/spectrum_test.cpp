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

// Of centred rows, on either side of the smaller Gram matrix.
TEST(Spectrum, OfCentredRowsIsThatOfTheirDifferenceFromTheMean) {
  for (const auto& sizes : {std::vector<int64_t>{12, 5}, std::vector<int64_t>{5, 12}}) {
    const at::Tensor x = normal(sizes, 1) + 3;
    EXPECT_TRUE(
        at::allclose(spectrum(centred_gram(x)).squares, spectrum(x - x.mean(0)).squares, 1e-10));
  }
}

}  // namespace
}  // namespace crrm
