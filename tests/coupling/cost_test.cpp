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

// All numbers of the small network in float32, and what it is told of the file.
TEST(Cost, CountsTheBytesOfAFile) {
  const Graph network = test::small_network();
  const Coupling coupling(network, infer_shapes(network, input_shapes(network, kCouplingBatch)));
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  int64_t numbers = 0;
  for (const auto& [name, tensor] : network.parameters)
    if (tensor.is_floating_point()) numbers += tensor.numel();
  EXPECT_EQ(CostModel(network, coupling)(all).bytes, 4 * numbers);
  const int64_t unstored = network.parameters.at("fc.weight").numel();
  const Pricing pricing{.overhead_bytes = 100, .unstored = {"fc.weight"}, .nanoseconds = {}};
  EXPECT_EQ(CostModel(network, coupling, pricing)(all).bytes, 4 * (numbers - unstored) + 100);
}

}  // namespace
}  // namespace crrm
