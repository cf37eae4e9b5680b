#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include <numbers>

#include "crrm/activations/layer_measure.h"

namespace crrm {
namespace {

using testing::HasSubstr;

const LayerMeasure& rates() {
  for (const LayerMeasure& measure : layer_measures())
    if (measure.family == "rates") return measure;
  throw std::logic_error("no family of rates");
}

/// @param values [n, features]; @param distortion  of the layer's units
std::vector<Estimate> rates_of(const at::Tensor& values, const std::vector<double>& distortion) {
  LayerActivations seen;
  seen.layer = {"v", "Tanh", {values.size(1)}, values.size(1)};
  seen.values = seen.reduced = values;
  seen.distortion = at::tensor(distortion, at::kDouble);
  return rates().estimate(seen);
}

at::Tensor uniform(int64_t n, int64_t d) {
  return at::rand({n, d}, at::detail::createCPUGenerator(3), at::TensorOptions(at::kFloat));
}

double detail(const Estimate& estimate, const std::string& name) {
  for (const auto& [key, number] : estimate.details)
    if (key == name) return number;
  return -1;
}

// D = {1/4, 1/16, 1}: 1/2 ln 4 + 1/2 ln 16 = 3 ln 2 nats; the closed unit passes nothing.
TEST(GateRates, AreHalfLogarithmsOfDistortions) {
  const Estimate rate = rates_of(uniform(10, 3), {0.25, 0.0625, 1})[0];
  EXPECT_NEAR(*rate.value, 3 * std::numbers::ln2, 1e-12);
  EXPECT_EQ(rate.unit, "nats");
  EXPECT_EQ(detail(rate, "open units"), 2);
  EXPECT_NEAR(detail(rate, "nats per unit"), std::numbers::ln2, 1e-12);
  EXPECT_NEAR(detail(rate, "largest of a unit"), 2 * std::numbers::ln2, 1e-12);
}

// f uniform on (0, 1): E f^2 = 1/3 and E log f^2 = -2, so the term is 1/2 (2 - ln 3) a unit. The
// standard deviation of log f^2 is 2: four standard errors of half the mean of two units.
TEST(GateRates, GetTheTermOfTheDataWhereItIsFinite) {
  constexpr int64_t kSamples = 20000;
  const std::vector<Estimate> all = rates_of(uniform(kSamples, 2), {0.25, 0.25});
  const double expected = 2 * std::numbers::ln2 + (2 - std::log(3.0));
  EXPECT_NEAR(*all[1].value, expected, 4 * std::sqrt(2.0) / std::sqrt(kSamples));
  EXPECT_GT(*all[1].value, *all[0].value);
}

// 400 draws of 500 samples: the truth, as above, is in 95 % of the intervals; in 91.7 to 98.3 %
// with three deviations of the draws.
TEST(GateRates, HaveIntervalsThatCover) {
  const double expected = 2 * std::numbers::ln2 + (2 - std::log(3.0));
  int covered = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const at::Tensor f =
        at::rand({500, 2}, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
    const Estimate bound = rates_of(f, {0.25, 0.25})[1];
    covered += bound.interval->low <= expected && expected <= bound.interval->high;
  }
  EXPECT_GE(covered, 367);
  EXPECT_LE(covered, 393);
}

TEST(GateRates, OfFewSamplesAreFlagged) {
  const Estimate bound = rates_of(uniform(99, 2), {0.25, 0.25})[1];
  EXPECT_EQ(bound.validity, Validity::too_few_samples);
  EXPECT_TRUE(bound.interval);
  EXPECT_TRUE(rates_of(uniform(1, 2), {0.25, 0.25})[1].refused());
}

// A network that was cut has the open units alone, and the same bound.
TEST(GateRates, CountOpenUnitsAlone) {
  const at::Tensor f = uniform(100, 3);
  const Estimate whole = rates_of(f, {0.25, 1, 0.5})[1];
  const Estimate cut =
      rates_of(f.index_select(1, at::tensor({0, 2}, at::kLong)), {0.25, 1, 0.5})[1];
  EXPECT_NEAR(*whole.value, *cut.value, 1e-9);
}

TEST(GateRates, AreNoBoundWhereActivationsAreZero) {
  const Estimate bound = rates_of(at::relu(uniform(100, 2) - 0.5), {0.25, 0.25})[1];
  EXPECT_TRUE(bound.refused());
  EXPECT_THAT(bound.reason, HasSubstr("infinite: the activation is exactly zero"));
}

TEST(GateRates, AreNoBoundWherePositionsShareADraw) {
  const Estimate bound = rates_of(uniform(100, 8), {0.25, 0.25})[1];
  EXPECT_TRUE(bound.refused());
  EXPECT_THAT(bound.reason, HasSubstr("share one draw"));
}

TEST(GateRates, AreInfiniteForGatesWithoutNoise) {
  const Estimate rate = rates_of(uniform(10, 2), {0, 1})[0];
  EXPECT_TRUE(rate.refused());
  EXPECT_THAT(rate.reason, HasSubstr("no noise"));
}

TEST(GateRates, AreLeftOutWhereThereAreNoGates) {
  LayerActivations seen;
  seen.values = seen.reduced = uniform(10, 2);
  EXPECT_TRUE(rates().estimate(seen).empty());
}

}  // namespace
}  // namespace crrm
