#include "crrm/phases/late_change.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;

const double kCeiling = 8;

ChannelChange seen(const std::string& channel, double low, double high, bool inside = false,
                   int64_t seeds = kLeastSeeds) {
  return {channel,
          inside,
          {.mean = (low + high) / 2, .low = low, .high = high, .greatest = high, .seeds = seeds}};
}

// Changes -1, -2, -3 from the second time, at which every pair of the others is highest:
// mean -2, deviation 1, t(2) = 4.303, half width 4.303 / sqrt(3).
TEST(LateChange, IsFromThePeakOfTheOthersToTheEnd) {
  const LateChange change = late_change({{0, 4, 3}, {0, 4, 2}, {0, 4, 1}}, kCeiling);
  EXPECT_DOUBLE_EQ(change.mean, -2);
  EXPECT_THAT(change.high + 2, DoubleNear(4.303 / std::sqrt(3.0), 1e-12));
  EXPECT_DOUBLE_EQ(change.low + change.high, -4);
  EXPECT_DOUBLE_EQ(change.greatest, -1);
  EXPECT_EQ(change.seeds, 3);
  EXPECT_FALSE(change.saturated);
}

// Changes -1, -1, -1, -1, 0.1: mean -0.78, deviation 0.492, and the interval ends at -0.17.
TEST(LateChange, IsNoFallWhereOneSeedRises) {
  const LateChange change =
      late_change({{0, 4, 3}, {0, 4, 3}, {0, 4, 3}, {0, 4, 3}, {0, 4, 4.1}}, kCeiling);
  EXPECT_LT(change.high, -0.1);
  EXPECT_DOUBLE_EQ(change.greatest, 4.1 - 4);
  EXPECT_FALSE(change.falls());
  EXPECT_THAT(judge("layer 1", {{"bins", false, change}}).text, HasSubstr(", not in every seed"));
}

// White noise around a constant: from its own highest point every curve falls; from that of the
// others none does on average. The seeds share the choice of that point, so that their changes are
// not quite independent: a fall is found in about 4 % of cases (an independent simulation of
// 20,000: 4.4 %; 5.1 % by the interval alone), where less than 2.5 % would be by chance.
TEST(LateChange, NoiseAloneIsSeldomAFall) {
  constexpr int kExperiments = 2000;
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  double falls = 0, mean = 0;
  for (int i = 0; i < kExperiments; ++i) {
    const at::Tensor noise = at::randn({5, 20}, generator, at::TensorOptions(at::kDouble));
    std::vector<std::vector<double>> curves;
    for (int s = 0; s < 5; ++s)
      curves.emplace_back(noise[s].data_ptr<double>(), noise[s].data_ptr<double>() + 20);
    const LateChange change = late_change(curves, kCeiling);
    falls += change.falls() ? 1.0 / kExperiments : 0;
    mean += change.mean / kExperiments;
  }
  EXPECT_LT(falls, 0.06);
  EXPECT_THAT(mean, DoubleNear(0, 4 * std::sqrt(2.0 / (5 * kExperiments))));
}

TEST(LateChange, RisesAndCeilingsAreNoFall) {
  const LateChange rises = late_change({{1, 2, 3}, {1, 2, 4}}, kCeiling);
  EXPECT_DOUBLE_EQ(rises.mean, 0);
  EXPECT_FALSE(rises.falls());
  const LateChange blind = late_change({{1, 7.99, 7.99}, {1, 8, 7.98}}, kCeiling);
  EXPECT_TRUE(blind.saturated);
}

TEST(LateChange, OneSeedSaysNothing) {
  EXPECT_THROW(late_change({{1, 0}}, kCeiling), InternalError);
}

TEST(Judge, ClaimsWhatAllChannelsAndSeedsShow) {
  const LayerVerdict verdict = judge("layer 1", {seen("bins", -2, -1), seen("noise", -0.2, -0.1)});
  EXPECT_TRUE(verdict.phase);
  EXPECT_EQ(verdict.text,
            "clusters late (bins: -1.500 nats [-2.000, -1.000]; noise: -0.150 nats [-0.200, "
            "-0.100])");
}

TEST(Judge, SaysOnWhatItDepends) {
  const LayerVerdict verdict = judge("layer 1", {seen("wide", -2, -1), seen("fine", -0.1, 0.1)});
  EXPECT_FALSE(verdict.phase);
  EXPECT_THAT(verdict.text, HasSubstr("depends on the channel: falls (wide"));
  EXPECT_THAT(verdict.text, HasSubstr("does not (fine"));
}

TEST(Judge, SeedsThatDisagreeAreNoPhase) {
  const LayerVerdict verdict = judge("layer 1", {seen("wide", -2, 1), seen("fine", -3, 0.5)});
  EXPECT_FALSE(verdict.phase);
  EXPECT_THAT(verdict.text, HasSubstr("no fall"));
}

TEST(Judge, FourSeedsAreTooFew) {
  const LayerVerdict verdict = judge("layer 1", {seen("bins", -2, -1, false, 4)});
  EXPECT_FALSE(verdict.phase);
  EXPECT_THAT(verdict.text, HasSubstr("over 4 seeds only: 5 are needed"));
}

TEST(SumUp, SaysWhatALayerThatFallsLacks) {
  const auto layers = [](int64_t seeds) {
    return std::vector<LayerVerdict>{judge("layer 1", {seen("bins", -0.1, 0.1, false, seeds)}),
                                     judge("layer 3", {seen("bins", -2, -1, false, seeds)})};
  };
  EXPECT_EQ(sum_up(layers(2), 2), "late fall in layer 3, but 2 seeds claim nothing: 5 are needed");
  EXPECT_EQ(sum_up(layers(5), 5), "late fall in every channel and over all seeds: layer 3");
  EXPECT_EQ(sum_up({layers(5)[0]}, 5), "no layer falls late in every channel and over all seeds");
}

// What was added for the analysis says nothing where the model has a channel of its own.
TEST(Judge, TheModelsOwnChannelDecides) {
  const LayerVerdict verdict =
      judge("layer 1", {seen("bins", -0.1, 0.1), seen("quantised", -2, -1, true)});
  EXPECT_TRUE(verdict.phase);
  EXPECT_THAT(verdict.text, HasSubstr("I(X;T) falls (quantised"));
}

}  // namespace
}  // namespace crrm
