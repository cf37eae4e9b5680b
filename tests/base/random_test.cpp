#include "crrm/base/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace crrm {
namespace {

// The first outputs of Vigna's splitmix64.c from seed 0: state k * 0x9e3779b97f4a7c15, k = 1, 2, 3.
TEST(SplitMix, GivesThePublishedSequence) {
  EXPECT_EQ(split_mix(0), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(split_mix(0x9e3779b97f4a7c15ULL), 0x6e789e6aa1b965f4ULL);
  EXPECT_EQ(split_mix(2 * 0x9e3779b97f4a7c15ULL), 0x06c45d188009454fULL);
}

TEST(Mix, DistinctArgumentsGiveDistinctSeeds) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 20; ++seed)
    for (uint64_t a = 0; a < 20; ++a)
      for (uint64_t b = 0; b < 20; ++b) seen.insert(mix(seed, a, b));
  EXPECT_EQ(seen.size(), 8000u);  // chance collisions: 8000^2 / 2^65, 2e-12
}

// A change of one bit of any argument flips each output bit half the time: over 3 * 64 inputs the
// mean number of flipped bits is 32 with deviation 4 / sqrt(192) = 0.29; six of them are 1.7.
TEST(Mix, OneBitOfInputFlipsHalfOfTheOutput) {
  double flipped = 0;
  const uint64_t base = mix(1, 2, 3);
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t one = uint64_t{1} << bit;
    for (const uint64_t other : {mix(1 ^ one, 2, 3), mix(1, 2 ^ one, 3), mix(1, 2, 3 ^ one)})
      flipped += std::popcount(base ^ other);
  }
  EXPECT_NEAR(flipped / 192, 32, 1.7);
}

}  // namespace
}  // namespace crrm
