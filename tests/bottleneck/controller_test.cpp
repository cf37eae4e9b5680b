#include "crrm/bottleneck/controller.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>
#include <random>

#include "crrm/base/error.h"

namespace crrm {
namespace {

constexpr int kTicks = 50;  // over the ramp, as a run has them
constexpr double kDeepest = 4;

/// A network whose metric falls with its depth, and which training brings near that curve again:
/// after a step deeper it first loses `shock` times what the curve says.
struct Plant {
  double knee;            ///< depth at which it begins to lose
  double steepness;       ///< of the metric, a unit of depth squared behind the knee
  double shock = 2;       ///< of what was closed in one tick, before training repairs it
  double recovery = 0.3;  ///< share of the gap that one tick of training closes
  double noise = 0;       ///< standard deviation of a measurement
  int delay = 0;          ///< ticks that a measurement is late

  double settled(double depth) const {
    const double behind = std::max(0.0, depth - knee);
    return steepness * behind * behind;
  }
};

struct Trajectory {
  std::vector<double> depths;
  double drop = 0;  ///< settled, at the end
};

/// As a run does it: at the end it returns to the last state that was measured within the limit.
Trajectory run(const Plant& plant, DropOptions options, uint64_t seed = 0) {
  options.deepest = kDeepest;
  options.ramp = 1;
  DropController controller(options);
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::deque<double> seen;
  double depth = 0, gap = 0, kept = 0;
  Trajectory result;
  for (int tick = 0; tick <= kTicks; ++tick) {
    const double time = static_cast<double>(tick) / kTicks;
    const double deeper = std::max(depth, controller.depth(time));
    gap =
        (1 - plant.recovery) * (gap + plant.shock * (plant.settled(deeper) - plant.settled(depth)));
    depth = deeper;
    seen.push_back(plant.settled(depth) + gap + plant.noise * normal(random));
    if (seen.size() > static_cast<size_t>(plant.delay) + 1) seen.pop_front();
    controller.observe({.time = time, .depth = depth, .drop = seen.front()});
    if (controller.keeps()) kept = depth;
    result.depths.push_back(depth);
  }
  result.drop = plant.settled(controller.astray() ? kept : depth);
  return result;
}

DropOptions options(double drop, double noise = 0.001) {
  return {.drop = drop, .noise = noise};
}

// Whatever the curve, at least half of the allowed drop is used and never more than all of it.
TEST(DropController, LandsWithinTheLimitOfManyCurves) {
  for (const double knee : {0.1, 0.7, 2.0})
    for (const double steepness : {0.01, 0.05, 0.2})
      for (const double drop : {0.003, 0.01, 0.02}) {
        const Plant plant{.knee = knee, .steepness = steepness};
        const double found = run(plant, options(drop, drop / 4)).drop;
        EXPECT_LE(found, drop) << knee << " " << steepness << " " << drop;
        EXPECT_GE(found, 0.5 * std::min(drop, plant.settled(kDeepest)))
            << knee << " " << steepness << " " << drop;
      }
}

// The mean over draws is within half a measurement's error of the limit, and so is each draw within
// two.
TEST(DropController, StandsNoiseAndDelay) {
  const double drop = 0.01, noise = 0.004;
  const Plant plant{.knee = 0.7, .steepness = 0.0625, .noise = noise, .delay = 1};
  double sum = 0;
  constexpr int kDraws = 200;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const double found = run(plant, options(drop, noise), seed).drop;
    EXPECT_NEAR(found, drop, 2 * noise) << "seed " << seed;
    sum += found;
  }
  EXPECT_NEAR(sum / kDraws, drop, 0.5 * noise);
}

// A plant that loses nothing is compressed as fast as the ramp goes, and no further than possible.
TEST(DropController, ReachesTheDeepestWhereNothingIsLost) {
  const Trajectory found = run({.knee = kDeepest, .steepness = 1}, options(0.01));
  EXPECT_GE(found.depths.back(), 0.9 * kDeepest);
  EXPECT_LE(found.depths.back(), kDeepest);
  for (size_t i = 1; i < found.depths.size(); ++i)
    EXPECT_LE(found.depths[i] - found.depths[i - 1], kDeepest / kTicks + 1e-9);
}

// A cliff: training needs long to repair what a step breaks, so steps must wait for it.
TEST(DropController, SlowsWhereTheMetricFallsFasterThanTrainingRecovers) {
  const Plant slow{.knee = 0.5, .steepness = 0.05, .shock = 6, .recovery = 0.1};
  const Plant quick{.knee = 0.5, .steepness = 0.05, .shock = 0, .recovery = 0.1};
  const Trajectory a = run(slow, options(0.02)), b = run(quick, options(0.02));
  EXPECT_LT(a.depths[kTicks / 3], b.depths[kTicks / 3]);
  EXPECT_LE(a.drop, 0.02);
  EXPECT_GE(a.drop, 0.4 * 0.02);
}

// Long beyond the limit nothing sums up: the first measurement within it moves the network again,
// at a rate that this measurement alone explains.
TEST(DropController, DoesNotWindUp) {
  DropOptions o = options(0.01);
  o.deepest = kDeepest;
  DropController controller(o);
  controller.observe({.time = 0, .depth = 0, .drop = 0});
  controller.observe({.time = 0.25, .depth = kDeepest, .drop = 0.05});
  const double depth = controller.depth(0.25);
  EXPECT_GT(depth, 0.2 * kDeepest);  // a quarter of the ramp, almost at full speed
  for (int tick = 0; tick < 100; ++tick)
    controller.observe({.time = 0.25 + tick / 1000.0, .depth = kDeepest, .drop = 0.05});
  EXPECT_DOUBLE_EQ(controller.depth(0.5), depth);
  for (int tick = 0; tick < 10; ++tick)
    controller.observe({.time = 0.4 + tick / 1000.0, .depth = kDeepest, .drop = 0});
  EXPECT_GT(controller.depth(0.5), depth);
  // A network that got less far than it was told is not driven by the difference.
  controller.observe({.time = 0.5, .depth = 0.5 * depth, .drop = 0});
  EXPECT_DOUBLE_EQ(controller.depth(0.5), 0.5 * depth);
}

TEST(DropController, GoesOnFromItsState) {
  DropOptions o = options(0.01);
  o.deepest = kDeepest;
  DropController whole(o), resumed(o);
  whole.observe({.time = 0, .depth = 0, .drop = 0});
  whole.observe({.time = 0.1, .depth = 0.3, .drop = 0.002});
  resumed.load(nlohmann::ordered_json::parse(whole.state().dump()));
  whole.observe({.time = 0.2, .depth = 0.5, .drop = 0.004});
  resumed.observe({.time = 0.2, .depth = 0.5, .drop = 0.004});
  EXPECT_EQ(whole.depth(0.25), resumed.depth(0.25));
  EXPECT_EQ(whole.state(), resumed.state());
}

/// Where a steady descent ends, and the depth that it returns to, when what is lost is
/// (exp(power depth) - 1) / scale^power of what the inputs tell.
Trajectory descend(double scale, double power) {
  KneeController controller({.deepest = kDeepest, .ramp = 1});
  double depth = 0, kept = 0;
  Trajectory result;
  for (int tick = 0; tick <= kTicks; ++tick) {
    const double time = static_cast<double>(tick) / kTicks;
    depth = std::max(depth, controller.depth(time));
    const double lost = (std::exp(power * depth) - 1) / std::pow(scale, power);
    controller.observe(
        {.time = time, .depth = depth, .drop = lost, .description = std::exp(-depth) + lost});
    if (controller.keeps()) kept = depth;
    result.depths.push_back(depth);
  }
  EXPECT_TRUE(controller.astray());
  result.drop = kept;
  return result;
}

// d/dg (exp(-g) + (exp(p g) - 1) / s^p) = 0 where exp(g (1 + p)) = s^p / p.
TEST(KneeController, ReturnsToTheShortestDescription) {
  for (const double scale : {5.0, 20.0})
    for (const double power : {1.0, 2.0, 4.0}) {
      const Trajectory found = descend(scale, power);
      const double knee = (power * std::log(scale) - std::log(power)) / (1 + power);
      EXPECT_NEAR(found.drop, knee, kDeepest / kTicks) << scale << " " << power;
      EXPECT_LT(found.depths.back(), kDeepest) << "it does not go to the bottom";
    }
}

TEST(KneeController, GoesOnFromItsState) {
  KneeController whole({.deepest = kDeepest, .ramp = 1}), resumed({.deepest = kDeepest, .ramp = 1});
  whole.observe({.time = 0.1, .depth = 0.2, .description = 0.9});
  resumed.load(nlohmann::ordered_json::parse(whole.state().dump()));
  whole.observe({.time = 0.2, .depth = 0.5, .description = 0.8});
  resumed.observe({.time = 0.2, .depth = 0.5, .description = 0.8});
  EXPECT_EQ(whole.state(), resumed.state());
}

}  // namespace
}  // namespace crrm
