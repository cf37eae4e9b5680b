#include "crrm/train/budget.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/small_network.h"

namespace crrm {
namespace {

class BudgetTest : public testing::Test {
 protected:
  /// Closes the units that say least, until that share of the MACs is kept.
  void shrink(double share) {
    network_.observe(at::arange(1, network_.units() + 2, at::kDouble).unsqueeze(0));
    network_.control({{Resource::macs, part(network_.cost().macs, share)}});
  }
  static int64_t part(int64_t whole, double share) {
    return static_cast<int64_t>(share * static_cast<double>(whole));
  }

  GatedNetwork network_{test::small_network(), {{3, 8, 8}}, {}};
  const Cost dense_ = network_.cost();
  RunOptions options_;
};

TEST_F(BudgetTest, ALimitFallsFromTheDenseCostToItself) {
  options_.limits = {{Resource::macs, dense_.macs / 2}};
  const Budget budget(options_, network_);
  const ScheduleOptions& schedule = options_.schedule;
  EXPECT_EQ(budget.goal(schedule.ramp_begin, nullptr)[0].most, dense_.macs);
  EXPECT_EQ(budget.goal(schedule.ramp_end, nullptr)[0].most, dense_.macs / 2);
  // The same factor every step: halfway, the geometric mean.
  const double middle = (schedule.ramp_begin + schedule.ramp_end) / 2;
  const double mean = std::sqrt(0.5) * static_cast<double>(dense_.macs);
  EXPECT_NEAR(static_cast<double>(budget.goal(middle, nullptr)[0].most), mean, 1);
}

TEST_F(BudgetTest, TheLimitThatBindsLeads) {
  options_.limits = {{Resource::macs, dense_.macs}, {Resource::params, dense_.params / 2}};
  EXPECT_EQ(Budget(options_, network_).resource(), Resource::params);
  options_.limits = {{Resource::macs, dense_.macs / 3}, {Resource::params, dense_.params / 2}};
  EXPECT_EQ(Budget(options_, network_).resource(), Resource::macs);
}

TEST_F(BudgetTest, WithoutALimitALossSavesTimeAndADescriptionParameters) {
  options_.max_drop = 0.01;
  EXPECT_EQ(Budget(options_, network_).resource(), Resource::macs);
  options_.max_drop.reset();
  options_.knee = true;
  EXPECT_EQ(Budget(options_, network_).resource(), Resource::params);
}

TEST_F(BudgetTest, DepthIsTheLogarithmOfWhatIsSaved) {
  options_.max_drop = 0.01;
  const Budget budget(options_, network_);
  EXPECT_EQ(budget.depth(), 0);
  shrink(0.6);
  EXPECT_EQ(budget.dense(Resource::macs), dense_.macs);
  EXPECT_DOUBLE_EQ(budget.depth(), std::log(static_cast<double>(dense_.macs) /
                                            static_cast<double>(network_.cost().macs)));
  EXPECT_GT(budget.depth(), -std::log(0.6) - 1e-9);
}

// The smallest network is deeper than the deepest goal, and by no more than a twentieth.
TEST_F(BudgetTest, TheDeepestGoalCanBeReached) {
  options_.max_drop = 0.01;
  const Budget budget(options_, network_);
  const double least = static_cast<double>(network_.smallest().macs);
  const double cost = static_cast<double>(dense_.macs) * std::exp(-budget.deepest());
  EXPECT_GE(cost, least);
  EXPECT_LE(cost, 1.0501 * least);
}

}  // namespace
}  // namespace crrm
