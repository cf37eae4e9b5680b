#include "crrm/bottleneck/water.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using ::testing::DoubleEq;
using ::testing::HasSubstr;
using ::testing::Pointwise;

at::Tensor vec(std::vector<double> values) {
  return at::tensor(values, at::kDouble);
}

std::vector<double> to_vector(const at::Tensor& tensor) {
  const at::Tensor doubles = tensor.to(at::kDouble).contiguous();
  return {doubles.data_ptr<double>(), doubles.data_ptr<double>() + doubles.numel()};
}

// beta w / F = {1/8, 1/2, 2}.  p = 1: D = {1/8, 1/2, 1}, R = 1/2 ln 8 + 1/2 ln 2 = 2 ln 2 nats.
// An open unit's rate grows as p.
TEST(WaterFill, ThreeUnitsInClosedForm) {
  const at::Tensor fisher = vec({8, 2, 0.5});                                         // [C]
  const at::Tensor weight = vec({1, 1, 1});                                           // [C]
  const at::Tensor distortion = water_fill(fisher, weight, /*beta=*/1.0, /*p=*/1.0);  // [C]
  const at::Tensor squared = water_fill(fisher, weight, /*beta=*/1.0, /*p=*/2.0);     // [C]
  EXPECT_THAT(to_vector(distortion), Pointwise(DoubleEq(), {0.125, 0.5, 1.0}));
  EXPECT_DOUBLE_EQ(rate_nats(distortion), 2 * std::numbers::ln2);
  EXPECT_DOUBLE_EQ(rate_nats(squared), 4 * std::numbers::ln2);
}

/// 1/2 F D + beta w u_p(R) with R = 1/2 ln(1/D) and the concave penalty of the design.
double objective(double fisher, double weight, double beta, double p, double distortion) {
  const double rate = -0.5 * std::log(distortion);
  const double a = 2 * (1 - 1 / p);
  const double penalty = p == 1 ? rate : (1 - std::exp(-a * rate)) / a;
  return 0.5 * fisher * distortion + beta * weight * penalty;
}

// What water_fill returns is where the objective is least, by a scan over D that knows nothing of
// the derivation: every stationary point is written out, the end D = 1 included.
TEST(WaterFill, IsStationaryOfTheObjective) {
  const double beta = 0.7;
  for (const double p : {1.0, 2.0, 4.0})
    for (const double fisher : {1.0, 3.0, 20.0})
      for (const double weight : {0.5, 1.0, 1.3}) {
        if (beta * weight >= fisher) continue;
        const double d = water_fill(vec({fisher}), vec({weight}), beta, p).item<double>();
        const double h = 1e-5 * d;
        const double slope = (objective(fisher, weight, beta, p, d + h) -
                              objective(fisher, weight, beta, p, d - h)) /
                             (2 * h);
        EXPECT_NEAR(slope, 0, 1e-6 * fisher) << "p " << p << " F " << fisher << " w " << weight;
      }
}

// For p = 1 the optimum is global.
TEST(WaterFill, IsTheLeastForTheRateInNats) {
  for (const double fisher : {0.3, 1.0, 3.0, 20.0}) {
    const double d = water_fill(vec({fisher}), vec({1.0}), 0.7, 1).item<double>();
    for (double other = 0.001; other <= 1; other += 0.001)
      EXPECT_LE(objective(fisher, 1, 0.7, 1, d), objective(fisher, 1, 0.7, 1, other) + 1e-12);
  }
}

TEST(WaterFill, ClosesUnitsWithoutInformation) {
  EXPECT_DOUBLE_EQ(water_fill(vec({0}), vec({1}), 1e-9, 4).item<double>(), 1.0);
}

TEST(WaterFill, NamesTheUnitThatIsOutOfRange) {
  const auto message = [](std::vector<double> fisher, std::vector<double> weight) -> std::string {
    try {
      water_fill(vec(std::move(fisher)), vec(std::move(weight)), 1, 1);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(message({1, std::nan("")}, {1, 1}), HasSubstr("Fisher information of unit 1"));
  EXPECT_THAT(message({1, -2}, {1, 1}), HasSubstr("found     -2"));
  EXPECT_THAT(message({1, 1}, {1, 0}), HasSubstr("cost of unit 1"));
}

// E z = 1 - D and E (1 - z)^2 = D^2 + D (1 - D) = D: the distortion that the rate was paid for.
TEST(DrawGates, HaveTheDistortionThatWasAskedFor) {
  constexpr int64_t kSamples = 200000;
  const at::Tensor distortion = vec({0.0, 0.1, 0.5, 1.0});
  const at::Tensor z = draw_gates(distortion, kSamples, 1).to(at::kDouble);  // [N, 5]
  const at::Tensor mean = z.mean(0), error = (1 - z).square().mean(0);
  for (int64_t c = 0; c < 4; ++c) {
    const double d = distortion[c].item<double>();
    const double deviation = std::sqrt(d * (1 - d) / kSamples);
    EXPECT_NEAR(mean[c].item<double>(), 1 - d, 5 * deviation + 1e-6);
    EXPECT_NEAR(error[c].item<double>(), d, 10 * deviation + 1e-6);
  }
  EXPECT_TRUE(z.select(1, 4).eq(1).all().item<bool>())
      << "the last column is for what is not gated";
  EXPECT_TRUE(z.select(1, 3).eq(0).all().item<bool>()) << "a closed gate passes nothing at all";
}

TEST(DrawGates, DependOnTheSeedAlone) {
  const at::Tensor distortion = vec({0.3, 0.6});
  EXPECT_TRUE(at::equal(draw_gates(distortion, 9, 7), draw_gates(distortion, 9, 7)));
  EXPECT_FALSE(at::equal(draw_gates(distortion, 9, 7), draw_gates(distortion, 9, 8)));
}

}  // namespace
}  // namespace crrm
