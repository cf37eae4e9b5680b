#include "crrm/coupling/cost.h"

#include <gtest/gtest.h>

#include "tests/small_network.h"

namespace crrm {
namespace {

// 8 x 8 positions of three convolutions with 3 x 3 kernels, and the classifier.
TEST(Cost, IsOfOneSampleWhateverTheBatchOfTheFile) {
  using test::kClasses, test::kInner, test::kStream;
  constexpr int64_t kTaps = 9, kPositions = 64;
  const int64_t expected =
      kPositions * kTaps * (3 * kStream + kStream * kInner + kInner * kStream) + kStream * kClasses;
  for (const int64_t batch : {-1, 1, 4}) {
    Graph network = test::small_network();
    network.inputs[0].shape[0] = batch;
    EXPECT_EQ(cost(network).macs, expected) << batch;
  }
}

}  // namespace
}  // namespace crrm
