#include "crrm/measure/width_table.h"

#include <gmock/gmock.h>

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::ElementsAre;

std::vector<int64_t> up_to(int64_t most) {
  std::vector<int64_t> widths(static_cast<size_t>(most));
  std::iota(widths.begin(), widths.end(), int64_t{1});
  return widths;
}

TEST(WidthTable, AlignmentIsTheLargestBlockThatDivides) {
  for (const auto& [width, block] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {2, 1}, {4, 4}, {6, 1}, {8, 8}, {12, 4}, {16, 16}, {24, 8}, {48, 16}, {61, 1}})
    EXPECT_EQ(alignment(width), block) << width;
}

// 16, 32, 64 (square root of 16 * 64 = 32); 8, 24, 56 (21.2); 4, 12, 60 (15.5: 12 and 20 are 3.5
// and 4.5 off); 1, 7, 63 (7.9: 7 and 9, as 8 is a multiple; 9 is 1.06 off, 7 is 0.94).
TEST(WidthTable, MeasuresEndsAndMiddleOfEachAlignment) {
  EXPECT_THAT(widths_to_measure(up_to(64)),
              ElementsAre(1, 4, 7, 8, 12, 16, 24, 32, 56, 60, 63, 64));
  EXPECT_THAT(widths_to_measure({10}), ElementsAre(10));
  EXPECT_THAT(widths_to_measure({49, 98, 147, 196}), ElementsAre(49, 98, 147, 196));
}

/// 3 + 2 i + 5 o + 0.25 i o, three times that where a width is no multiple of 4.
double blocked(int64_t i, int64_t o) {
  const double plain = 3 + 2.0 * i + 5.0 * o + 0.25 * i * o;
  return plain * (i % 4 == 0 ? 1 : 3) * (o % 4 == 0 ? 1 : 3);
}

WidthTable blocked_table() {
  const std::vector<int64_t> inputs = widths_to_measure(up_to(33)),
                             outputs = widths_to_measure(up_to(20));
  std::vector<double> times;
  for (const int64_t i : inputs)
    for (const int64_t o : outputs) times.push_back(blocked(i, o));
  return {{inputs, outputs}, times};
}

TEST(WidthTable, ExactWhereItWasMeasured) {
  const WidthTable table = blocked_table();
  size_t next = 0;
  for (const int64_t i : table.widths()[0])
    for (const int64_t o : table.widths()[1]) EXPECT_EQ(table({i, o}), table.times()[next++]);
}

TEST(WidthTable, ExactBetweenForWhatIsLinearInEachWidth) {
  const WidthTable table = blocked_table();
  for (int64_t i = 1; i <= 33; ++i)
    for (int64_t o = 1; o <= 20; ++o)
      EXPECT_NEAR(table({i, o}), blocked(i, o), 1e-9) << i << " " << o;
}

TEST(WidthTable, MonotoneBetweenNeighboursOfOneAlignment) {
  const WidthTable table({{1, 4, 7, 63}}, {10, 5, 40, 90});
  double last = 0;
  for (int64_t width = 1; width <= 63; ++width) {
    if (alignment(width) != 1) continue;
    EXPECT_GE(table({width}), last) << width;
    last = table({width});
  }
  EXPECT_EQ(table({4}), 5);
}

TEST(WidthTable, EndsHoldBeyondTheGridAndNothingCostsNothing) {
  const WidthTable table({{5, 9}}, {10, 30});
  EXPECT_EQ(table({1}), 10);
  EXPECT_EQ(table({90}), 30);
  EXPECT_EQ(table({0}), 0);
  EXPECT_EQ(table({8}), 25);  // no width of its alignment was measured: all others count
  EXPECT_EQ(WidthTable({}, {7})({}), 7);
}

TEST(WidthTable, RefusesWhatDoesNotFit) {
  EXPECT_THROW(WidthTable({{1, 2}, {3}}, {1, 2, 3}), InputError);
  EXPECT_THROW(WidthTable({{2, 2}}, {1, 2}), InputError);
  EXPECT_THROW(WidthTable({{0, 2}}, {1, 2}), InputError);
  EXPECT_THROW(WidthTable({{}}, {}), InputError);
  const std::vector<std::vector<int64_t>> many(64, {1, 2});  // 2^64 times
  EXPECT_THROW(WidthTable(many, {}), InputError);
  EXPECT_THROW(WidthTable({{1}}, {1})({1, 1}), InternalError);
}

}  // namespace
}  // namespace crrm
