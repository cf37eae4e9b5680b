// Seeds for parts of a run, derived by counting: a resumed step draws what the first one drew.
#pragma once

#include <cstdint>

namespace crrm {

/// The finaliser of SplitMix64 after one step of its counter.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the
/// constants are those of java.util.SplittableRandom (mix variant 13 of D. Stafford).
constexpr uint64_t split_mix(uint64_t state) {
  uint64_t z = state + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// A seed for (seed, a, b), such as (seed, epoch, step). The order of the arguments matters.
constexpr uint64_t mix(uint64_t seed, uint64_t a, uint64_t b = 0) {
  return split_mix(split_mix(split_mix(seed) ^ a) ^ b);
}

}  // namespace crrm
