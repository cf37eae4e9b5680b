#include "crrm/bottleneck/limit.h"

#include <gtest/gtest.h>

namespace crrm {
namespace {

const Cost kCost = {.macs = 200, .params = 30, .bytes = 150, .nanoseconds = 4000};

TEST(Limit, AllAreKept) {
  EXPECT_TRUE(within(kCost, {}));
  EXPECT_TRUE(within(kCost, {{Resource::macs, 200}, {Resource::latency, 4000}}));
  EXPECT_FALSE(within(kCost, {{Resource::macs, 200}, {Resource::params, 29}}));
}

TEST(Limit, BindsWhereTheFactorIsLargest) {
  EXPECT_EQ(binding(kCost, {{Resource::macs, 100}, {Resource::params, 10}}).resource,
            Resource::params);
  EXPECT_EQ(binding(kCost, {{Resource::bytes, 151}, {Resource::params, 31}}).resource,
            Resource::bytes);
}

TEST(Limit, IsDescribedInItsUnit) {
  EXPECT_EQ(describe(20300000, Resource::macs), "20.3 M MACs");
  EXPECT_EQ(describe(1500, Resource::params), "1.5 k parameters");
  EXPECT_EQ(describe(2000000, Resource::bytes), "2 MB");
  EXPECT_EQ(describe(3400000, Resource::latency), "3.4 ms");
}

}  // namespace
}  // namespace crrm
