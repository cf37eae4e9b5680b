#include "crrm/graph/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "crrm/graph/executor.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

/// A network as exporters write it for one sample: the 1 stands in the target of its Reshape.
Graph for_one_sample(std::vector<int64_t> target) {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {1, 3, 8, 8}, {"", "", "", ""}}};
  b.conv("conv", "x", 3, 4);
  b.graph.parameters["target"] = at::tensor(target, at::kLong);
  b.add("Reshape", "rows", {"conv.out", "target"});
  b.graph.outputs = {{"rows.out", at::kFloat, {1, 64, 4}, {"", "", ""}}};
  return b.graph;
}

TEST(Batch, FollowsAReshapeThatStatesIt) {
  const Graph one = for_one_sample({1, -1, 4});
  Graph any = one;
  EXPECT_EQ(free_batch(any, {}), 1);
  EXPECT_EQ(any.inputs[0].shape[0], -1);
  const at::Tensor x = test::small_input(5);
  const at::Tensor together = Executor(any).run({x})[0];
  ASSERT_EQ(together.sizes(), at::IntArrayRef({5, 64, 4}));
  for (int64_t n = 0; n < 5; ++n)
    EXPECT_LT((Executor(one).run({x.narrow(0, n, 1)})[0] - together.narrow(0, n, 1))
                  .abs()
                  .max()
                  .item<double>(),
              1e-5);
  fix_batch(any, 1);
  EXPECT_EQ(any.inputs[0].shape, one.inputs[0].shape);
  EXPECT_EQ(any.outputs[0].shape, one.outputs[0].shape);
}

TEST(Batch, LeavesADynamicOneAlone) {
  Graph network = test::small_network();
  EXPECT_EQ(free_batch(network, {}), 0);
  EXPECT_EQ(network.inputs[0].shape, (Shape{-1, 3, 8, 8}));
}

// Samples and positions end in one axis: no batch can be told from it.
TEST(Batch, RefusesWhatWouldNotFollow) {
  Graph network = for_one_sample({64, 4});
  network.outputs[0].shape = {64, 4};
  try {
    free_batch(network, {});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("dynamic batch"));
  }
}

}  // namespace
}  // namespace crrm
