#include "crrm/train/schedule.h"

#include <gtest/gtest.h>

#include "crrm/base/error.h"

namespace crrm {
namespace {

TEST(LearningRate, RisesThenFallsAsHalfACosine) {
  const ScheduleOptions options{.learning_rate = 2, .warm_up = 0.2};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.1), 1);
  EXPECT_DOUBLE_EQ(learning_rate(options, 0.2), 2);
  EXPECT_NEAR(learning_rate(options, 0.6), 1, 1e-12);  // half of the rest
  EXPECT_NEAR(learning_rate(options, 1), 0, 1e-12);
}

TEST(RampedBudget, FallsByEqualFactorsAndIsHeld) {
  const ScheduleOptions options{.ramp_begin = 0.1, .ramp_end = 0.5};
  EXPECT_EQ(ramped_budget(options, 0.1, 1000, 400), 1000);
  EXPECT_EQ(ramped_budget(options, 0.3, 1000, 10), 100);  // half the way: sqrt(1000 * 10)
  EXPECT_EQ(ramped_budget(options, 0.5, 1000, 400), 400);
  EXPECT_EQ(ramped_budget(options, 0.9, 1000, 400), 400);
}

TEST(Annealing, IsOneOnTheRampAndZeroBehind) {
  const ScheduleOptions options{.ramp_end = 0.5, .anneal_end = 0.7};
  EXPECT_DOUBLE_EQ(annealing(options, 0.5), 1);
  EXPECT_NEAR(annealing(options, 0.6), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(annealing(options, 0.7), 0);
}

TEST(Schedule, RefusesAnOrderThatCannotBe) {
  EXPECT_THROW(check(ScheduleOptions{.ramp_end = 0.9, .cut = 0.5}), InputError);
  EXPECT_THROW(check(ScheduleOptions{.learning_rate = 0}), InputError);
  EXPECT_NO_THROW(check(ScheduleOptions{}));
}

}  // namespace
}  // namespace crrm
