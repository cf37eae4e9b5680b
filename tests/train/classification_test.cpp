#include "crrm/train/classification.h"

#include <gtest/gtest.h>

namespace crrm {
namespace {

// Of labels 0, 0, 1, 2: 1/2 log 2 + 2 (1/4 log 4); a class that does not occur adds nothing.
TEST(Classification, KnowingNothingCostsTheEntropyOfTheLabels) {
  Dataset data;
  data.inputs = at::zeros({4, 1});
  data.labels = at::tensor({0, 0, 1, 2}, at::kLong);
  data.classes = 4;
  EXPECT_NEAR(Classification(4, nullptr, {}).blank_loss(data), 1.5 * std::log(2), 1e-12);
}

}  // namespace
}  // namespace crrm
