#include "crrm/report/axis.h"

#include <gmock/gmock.h>

#include <limits>

namespace crrm {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

Range range(std::initializer_list<double> values) {
  Range found;
  for (const double value : values) found.add(value);
  return found;
}

TEST(Axis, LinearOneBeginsAtZeroAndHasRoundTicks) {
  const Axis axis(range({3, 12}), 100, 0);
  EXPECT_FALSE(axis.logarithmic());
  EXPECT_DOUBLE_EQ(axis.at(0), 100);
  EXPECT_DOUBLE_EQ(axis.at(3), 75);
  EXPECT_DOUBLE_EQ(axis.at(12), 0);
  EXPECT_THAT(axis.ticks(), ElementsAre(0, 5, 10));
}

TEST(Axis, ReachesBelowZeroWhereValuesDo) {
  const Axis axis(range({-0.3, 0.1}), 0, 80);
  EXPECT_DOUBLE_EQ(axis.at(-0.3), 0);
  EXPECT_NEAR(axis.at(0), 60, 1e-12);
  EXPECT_THAT(axis.ticks(), Pointwise(DoubleNear(1e-12), {-0.3, -0.2, -0.1, 0.0, 0.1}));
}

// Equal ratios are equal distances.
TEST(Axis, TwoPowersOfTenMakeItLogarithmic) {
  const Axis axis(range({1, 10000}), 0, 4);
  EXPECT_TRUE(axis.logarithmic());
  for (int power = 0; power <= 4; ++power) EXPECT_NEAR(axis.at(std::pow(10, power)), power, 1e-12);
  EXPECT_THAT(axis.ticks(), Pointwise(DoubleNear(1e-9), {1, 10, 100, 1000, 10000}));
  EXPECT_FALSE(Axis(range({1, 99}), 0, 4).logarithmic());
  EXPECT_FALSE(Axis(range({0, 10000}), 0, 4).logarithmic());
}

TEST(Axis, NeverHasMoreThanSixTicksNorNone) {
  for (double high = 1e-9; high < 1e12; high *= 1.7)
    for (const double low : {0.0, -high / 3, high / 5, high / 150, high / 1e9}) {
      const Axis axis(range({low, high}), 0, 1);
      const std::vector<double> ticks = axis.ticks();
      EXPECT_GE(ticks.size(), 2u) << low << " " << high;
      EXPECT_LE(ticks.size(), 6u) << low << " " << high;
      for (const double tick : ticks) EXPECT_TRUE(axis.at(tick) >= 0 && axis.at(tick) <= 1);
    }
}

TEST(Axis, OutlandishValuesStayOnIt) {
  const Axis axis(range({0, 10}), 0, 100);
  EXPECT_DOUBLE_EQ(axis.at(1e300), 100);
  EXPECT_DOUBLE_EQ(axis.at(-5), 0);
  EXPECT_TRUE(range({std::numeric_limits<double>::infinity()}).empty());
  EXPECT_DOUBLE_EQ(Axis(Range(), 0, 100).at(1), 100);
  EXPECT_DOUBLE_EQ(Axis(range({0}), 0, 100).at(0), 0);
}

TEST(Axis, NumbersAreAsPeopleWriteThem) {
  EXPECT_EQ(axis_number(0), "0");
  EXPECT_EQ(axis_number(-0.5), "−0.5");
  EXPECT_EQ(axis_number(12.3456), "12.35");
  EXPECT_EQ(axis_number(123456), "123456");
  EXPECT_EQ(axis_number(2.1e-7), "2.1e−07");
}

}  // namespace
}  // namespace crrm
