#include "crrm/phases/plane.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "crrm/phases/late_change.h"

namespace crrm {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Le;
using testing::StartsWith;

at::Tensor normal(int64_t n, uint64_t seed) {
  return at::randn({n, 1}, at::make_generator<at::CPUGeneratorImpl>(seed),
                   at::TensorOptions(at::kDouble));
}

// The least model of Saxe et al. (ICLR 2018, section 2): T = f(w X), X ~ N(0, 1), and w grows as in
// training. Five seeds are five draws of X.
LayerVerdict verdict_of(const std::function<at::Tensor(const at::Tensor&)>& f) {
  constexpr int64_t kSamples = 500;
  std::vector<ChannelChange> sweep;
  for (const PlaneChannel& channel : post_hoc_sweep(1)) {
    std::vector<std::vector<double>> curves;
    for (uint64_t seed = 0; seed < kLeastSeeds; ++seed) {
      const at::Tensor x = normal(kSamples, seed);
      curves.emplace_back();
      for (const double w : {0.1, 0.3, 1.0, 3.0, 10.0, 50.0})
        curves.back().push_back(plane_point(channel, f(w * x), (x > 0).to(at::kLong).squeeze(1)).x);
    }
    sweep.push_back(
        {channel.name, channel.inside(), late_change(curves, ceiling(channel, kSamples))});
  }
  return judge("layer", sweep);
}

// Two bins of width 1 stay half full each however much tanh saturates; narrower ones fill at the
// ends and the index falls.
TEST(LeastModel, TanhFallsOrNotByTheChannel) {
  const LayerVerdict verdict = verdict_of([](const at::Tensor& t) { return at::tanh(t); });
  EXPECT_FALSE(verdict.phase);
  EXPECT_THAT(verdict.text, StartsWith("depends on the channel: falls (bins of width 0.1"));
  EXPECT_THAT(verdict.text, HasSubstr("does not (bins of width 1:"));
}

TEST(LeastModel, ReluFallsInNone) {
  const LayerVerdict verdict = verdict_of([](const at::Tensor& t) { return at::relu(t); });
  EXPECT_FALSE(verdict.phase);
  EXPECT_THAT(verdict.text, StartsWith("no fall"));
}

// Four equally frequent codes, two of each label: H = 2 ln 2, and they say the label.
TEST(PlanePoint, CountsRoundedActivations) {
  const at::Tensor t = at::tensor({-0.5, -0.25, 0.25, 0.5}, at::kDouble).unsqueeze(1);
  const at::Tensor labels = at::tensor({0, 0, 1, 1}, at::kLong);
  const PlaneChannel channel = quantised_channel(0.25);
  const PlanePoint point = plane_point(channel, t, labels);
  EXPECT_THAT(point.x, DoubleNear(2 * std::numbers::ln2, 1e-12));
  EXPECT_THAT(point.y, DoubleNear(std::numbers::ln2, 1e-12));
  EXPECT_EQ(channel.quantity(), "I(X;T)");
  EXPECT_TRUE(channel.inside());
}

TEST(PostHocSweep, SpansThreeDecades) {
  const std::vector<PlaneChannel> sweep = post_hoc_sweep(100);
  ASSERT_EQ(sweep.size(), 8U);
  EXPECT_EQ(sweep[0].name, "bins of width 100");
  EXPECT_EQ(sweep[3].name, "bins of width 0.1");
  EXPECT_EQ(sweep[7].name, "noise of deviation 0.1");
}

TEST(PlanePoint, LiesBetweenItsBoundsUnderNoise) {
  const at::Tensor t = normal(300, 1);
  const at::Tensor labels = (t > 0).to(at::kLong).squeeze(1);
  for (const PlaneChannel& channel : post_hoc_sweep(1)) {
    EXPECT_FALSE(channel.inside());
    EXPECT_THAT(channel.quantity(), StartsWith("clustering index"));
    const PlanePoint point = plane_point(channel, t, labels);
    EXPECT_THAT(point.x, Le(ceiling(channel, 300) + 0.1));
    if (!point.x_low) continue;
    EXPECT_THAT(*point.x_low - 0.1, Le(point.x));
    EXPECT_THAT(point.x, Le(*point.x_high + 0.1));
  }
}

// H(Y) = ln 2 of balanced labels.
TEST(GatePoint, BoundsWhatIsKnownOfLabelsByTheLoss) {
  const at::Tensor labels = at::tensor({0, 1, 0, 1}, at::kLong);
  EXPECT_THAT(gate_point(3, 0.1, labels).y, DoubleNear(std::numbers::ln2 - 0.1, 1e-12));
  EXPECT_EQ(gate_point(3, 5, labels).y, 0);
  EXPECT_EQ(gate_point(3, 5, labels).x, 3);
}

}  // namespace
}  // namespace crrm
