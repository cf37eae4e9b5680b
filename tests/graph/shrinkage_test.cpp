#include "crrm/graph/shrinkage.h"

#include <gtest/gtest.h>

namespace crrm {
namespace {

TEST(Take, IsTheProductOfItsAxes) {
  const at::Tensor whole = at::arange(24).view({4, 3, 2});
  const at::Tensor part = take(whole, {{{1, 3}}, {{0, 2}}, {{0, 1}}});
  EXPECT_TRUE(at::equal(
      part, whole.index_select(0, at::tensor({1, 3})).index_select(1, at::tensor({0, 2}))));
}

// Four rows in two blocks; the second axis holds indices 0-2 of a longer axis in the first block's
// rows and 3-5 in the second's.
TEST(Take, BlocksLoseColumnsOfTheirOwn) {
  const at::Tensor whole = at::arange(12).view({4, 3});
  const std::vector<KeptAxis> axes = {{{1, 2}}, {{0, 2, 3, 4}, /*blocks=*/2}};
  // Row 1 keeps 0 and 2; row 2 keeps 3 and 4, which are its own 0 and 1.
  EXPECT_TRUE(at::equal(take(whole, axes), at::tensor({3, 5, 6, 7}).view({2, 2})));
}

TEST(Put, IsUndoneByTake) {
  const at::Tensor whole = at::zeros({4, 3, 2}),
                   part = at::arange(8, at::kFloat).view({2, 2, 2}) + 1;
  const std::vector<KeptAxis> axes = {{{0, 3}}, {{0, 2, 4, 5}, /*blocks=*/2}, {{0, 1}}};
  const at::Tensor grown = put(whole, part, axes);
  EXPECT_TRUE(at::equal(take(grown, axes), part));
  EXPECT_EQ(grown.count_nonzero().item<int64_t>(), part.numel());
  EXPECT_EQ(whole.count_nonzero().item<int64_t>(), 0);
}

}  // namespace
}  // namespace crrm
