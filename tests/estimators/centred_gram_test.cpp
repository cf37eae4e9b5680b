#include "crrm/estimators/centred_gram.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "crrm/base/error.h"

namespace crrm {
namespace {

// More values than a block holds, on either side.
TEST(CentredGram, IsThatOfTheWholeMatrix) {
  for (const auto& sizes : {std::vector<int64_t>{300, 8000}, std::vector<int64_t>{8000, 300}}) {
    const at::Tensor x =
        (at::randn(sizes, at::detail::createCPUGenerator(1), at::kFloat) + 100).contiguous();
    const at::Tensor centred = x.to(at::kDouble) - x.to(at::kDouble).mean(0);
    const bool wide = sizes[0] < sizes[1];
    const at::Tensor small =
        wide ? centred.matmul(centred.t()) : centred.t().matmul(centred);  // [300, 300]
    const at::Tensor square = centred.square().sum(1);
    const CentredGram found = centred_gram(x);
    EXPECT_TRUE(at::allclose(found.gram, small, 1e-10, 1e-8));
    EXPECT_TRUE(at::allclose(found.square, square, 1e-10));
    // x_i' (sum_j x_j x_j') x_i and x_i' (sum_j |x_j|^2 x_j)
    const at::Tensor products = centred.matmul(centred.t().matmul(square));
    EXPECT_TRUE(at::allclose(found.row_weighted, products, 1e-8, 1e-4));
    const at::Tensor row_square =
        wide ? small.square().sum(1) : (centred.matmul(small) * centred).sum(1);
    EXPECT_TRUE(at::allclose(found.row_square, row_square, 1e-10));
  }
}

TEST(CentredGram, RejectsWhatIsNoMatrixOfNumbers) {
  EXPECT_THAT([] { centred_gram(at::ones({3})); },
              ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("[samples, dimensions]")));
  EXPECT_THAT(
      [] {
        centred_gram(at::full({2, 2}, NAN));
      },
      ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("finite")));
}

}  // namespace
}  // namespace crrm
