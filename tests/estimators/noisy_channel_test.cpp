#include "crrm/estimators/noisy_channel.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "crrm/base/error.h"
#include "crrm/estimators/channel.h"
#include "crrm/estimators/held_out_information.h"
#include "crrm/estimators/renyi.h"

namespace crrm {
namespace {

using ::testing::HasSubstr;

at::Tensor normals(int64_t n, int64_t d, uint64_t seed) {
  return at::randn({n, d}, at::detail::createCPUGenerator(seed), at::kDouble);
}

// h = 0 or a, noise of variance 1. The information by quadrature; the bounds in closed form.
TEST(NoisyChannel, SeparatesTwoNormals) {
  const std::vector<std::pair<double, double>> cases = {
      {0.5, 0.030311}, {1, 0.111421}, {2, 0.336831}, {4, 0.632720}, {8, 0.693054}};
  for (const auto& [a, truth] : cases) {
    const at::Tensor h = at::tensor({0.0, a}, at::kDouble).unsqueeze(1);
    const NoisyChannel channel = noisy_channel(h, 1, {.per_sample = 50000});
    EXPECT_NEAR(*channel.lower.value, -std::log((1 + std::exp(-a * a / 8)) / 2), 1e-12);
    EXPECT_NEAR(*channel.upper.value, -std::log((1 + std::exp(-a * a / 2)) / 2), 1e-12);
    EXPECT_NEAR(*channel.estimate.value, truth, 0.005);
  }
}

// T = X + N(0, 0.1 I): I = d / 2 ln(1 + 10).
TEST(NoisyChannel, FlagsWhatTheSamplesCannotShow) {
  const NoisyChannel plane = noisy_channel(normals(5000, 2, 0), 0.1, {.per_sample = 1});
  EXPECT_NEAR(*plane.estimate.value, std::log(11), 0.05);
  EXPECT_EQ(plane.estimate.validity, Validity::ok);
  EXPECT_LT(*plane.lower.value, *plane.estimate.value);
  EXPECT_LT(*plane.estimate.value, *plane.upper.value);
  const NoisyChannel ten = noisy_channel(normals(1000, 10, 0), 0.1);
  EXPECT_EQ(ten.estimate.validity, Validity::saturated);
  EXPECT_THROW(noisy_channel(normals(4, 1, 0), 0), InputError);
}

// The bounds hold for the mixture of the samples, so they hold for what is drawn from it.
TEST(NoisyChannel, IsBetweenItsBoundsAndBelowLnNForAnyNoise) {
  const at::Tensor h = normals(60, 3, 1);
  for (const double variance : {1e-10, 1e-6, 1e-2, 1.0, 1e2, 1e6}) {
    SCOPED_TRACE(variance);
    const NoisyChannel channel = noisy_channel(h, variance, {.per_sample = 1, .seed = 2});
    EXPECT_LE(*channel.lower.value, *channel.estimate.value);
    EXPECT_LE(*channel.estimate.value, *channel.upper.value);
    EXPECT_LE(*channel.upper.value, std::log(60));
    EXPECT_LE(channel.estimate.interval->low, *channel.estimate.value);
    EXPECT_GE(channel.estimate.interval->high, *channel.estimate.value);
  }
  for (const double variance : {1e-16, 1e-307}) {
    SCOPED_TRACE(variance);
    const NoisyChannel channel = noisy_channel(h, variance);
    for (const Estimate& estimate : {channel.lower, channel.estimate, channel.upper}) {
      EXPECT_TRUE(estimate.refused());
      EXPECT_THAT(estimate.reason, HasSubstr("float64"));
    }
    EXPECT_TRUE(noisy_label_information(h, at::arange(60).remainder(2), variance).refused());
    EXPECT_TRUE(information_through(NoiseInModel{variance}, h).refused());
  }
}

// Five places, 141 deviations apart: the noise tells all of them, and their number is the number.
TEST(NoisyChannel, IsSaturatedWhereAllRowsThatDifferAreToldApart) {
  const at::Tensor places = 100 * at::eye(5, at::kDouble).repeat({100, 1});
  const Estimate estimate = noisy_channel(places, 1).estimate;
  EXPECT_NEAR(*estimate.value, std::log(5), 1e-9);
  EXPECT_EQ(estimate.validity, Validity::saturated);
  EXPECT_EQ(noisy_channel(at::ones({50, 4}), 1).estimate.validity, Validity::ok);
  EXPECT_EQ(noisy_channel(places / 100, 1).estimate.validity, Validity::ok);
}

TEST(NoisyLabelInformation, AgreesWithQuadratureAndWithTheHeldOutBound) {
  const at::Tensor labels = at::arange(1000).remainder(2);
  const at::Tensor h = 2 * labels.unsqueeze(1).to(at::kDouble);  // one point a label
  EXPECT_NEAR(*noisy_label_information(h, labels, 1).value, 0.336831, 0.02);
  const at::Tensor t = h + normals(1000, 1, 0);
  const Estimate bound = held_out_information(t, labels, 0);
  EXPECT_LE(bound.interval->low, 0.336831);
  EXPECT_GE(bound.interval->high, 0.336831);  // logistic regression is the true posterior here
}

TEST(HeldOutInformation, IsTheEntropyForACertainClassifier) {
  const at::Tensor labels = at::arange(100).remainder(4);
  const at::Tensor certain = at::one_hot(labels, 4).to(at::kDouble).log();
  EXPECT_NEAR(*held_out_information(certain, labels).value, std::log(4), 1e-12);
  EXPECT_THROW(held_out_information(certain + 1, labels), InputError);
}

// Fifty directions separate a hundred samples whatever their labels, and say nothing of others: a
// mixture that knows its weight loses little, one that does not lost 3 nats and more.
TEST(HeldOutInformation, LosesLittleWhereTheClassifierFitsTooWell) {
  const at::Tensor labels = at::arange(100).remainder(10);
  const Estimate nothing = held_out_information(normals(100, 50, 3), labels, 0);
  EXPECT_GT(*nothing.value, -0.3);
  EXPECT_LE(nothing.interval->low, 0);
  // One direction of 40 tells the label up to the noise, 0.336831 nats.
  const at::Tensor two = at::arange(200).remainder(2);
  at::Tensor t = normals(200, 40, 4);
  t.select(1, 0).add_(two, 2);
  const Estimate some = held_out_information(t, two, 0);
  EXPECT_GT(*some.value, 0);
  EXPECT_LE(some.interval->low, 0.336831);
}

TEST(HeldOutInformation, IsFlaggedBelowNothingAndRefusedForAFewSamples) {
  const at::Tensor labels = at::arange(100).remainder(2);
  const at::Tensor wrong = at::tensor({0.1, 0.9}, at::kDouble)
                               .log()
                               .expand({100, 2})
                               .gather(1, at::stack({labels, 1 - labels}, 1));
  EXPECT_EQ(held_out_information(wrong.contiguous(), 1 - labels).validity, Validity::ok);
  EXPECT_EQ(held_out_information(wrong.contiguous(), labels).validity, Validity::too_few_samples);
  const Estimate few = held_out_information(normals(7, 3, 0), labels.narrow(0, 0, 7), 0);
  EXPECT_TRUE(few.refused());
  EXPECT_THAT(few.reason, HasSubstr("7 samples"));
}

TEST(Renyi, HasItsClosedForms) {
  const at::Tensor one = at::ones({100, 100}, at::kDouble), identity = at::eye(100, at::kDouble);
  const at::Tensor blocks = at::kron(at::eye(4, at::kDouble), at::ones({25, 25}, at::kDouble));
  for (const double alpha : {1.01, 2.0}) {
    EXPECT_NEAR(*renyi_entropy(identity, alpha).value, std::log(100), 1e-9);
    EXPECT_NEAR(*renyi_entropy(one, alpha).value, 0, 1e-9);
    EXPECT_NEAR(*renyi_entropy(blocks, alpha).value, std::log(4), 1e-9);
    EXPECT_NEAR(*renyi_information(blocks, blocks, alpha).value, std::log(4), 1e-9);
  }
  EXPECT_EQ(renyi_entropy(identity, 2).validity, Validity::saturated);
}

// Saxe et al. (2018): T = f(w X), X normal, bins of 1/15. The samples are the normal's quantiles.
TEST(Channel, BinsCompressUnderTanhAloneAndAreCalledAClusteringIndex) {
  const int64_t n = 200000;
  const at::Tensor x =
      at::special_ndtri((at::arange(n, at::kDouble) + 0.5) / static_cast<double>(n)).unsqueeze(1);
  const Channel bins = PostHocBins{BinWidth{1.0 / 15}};
  const auto entropy = [&](const at::Tensor& t) { return *information_through(bins, t).value; };
  EXPECT_NEAR(entropy((0.1 * x).tanh()), 1.83, 0.005);
  // tanh reaches 1 by rounding, which belongs to the last of the bins that cover its range.
  const Channel thirty = PostHocBins{BinCount{30}};
  EXPECT_NEAR(*information_through(thirty, x.tanh()).value, 3.38, 0.005);
  EXPECT_NEAR(*information_through(thirty, (50 * x).tanh()).value, 0.88, 0.005);
  EXPECT_NEAR(entropy((0.1 * x).relu()), 0.79, 0.005);
  EXPECT_NEAR(entropy((50 * x).relu()), 4.36, 0.005);
  EXPECT_THAT(information_through(bins, x).measure, HasSubstr("clustering index (bins of width"));
}

TEST(Channel, IsInformationOnlyInsideTheModel) {
  const at::Tensor t = normals(200, 3, 0);
  EXPECT_EQ(information_through(NoiseInModel{1}, t).measure, "I(X;T)");
  EXPECT_EQ(information_through(PostHocNoise{0.1}, t).measure,
            "clustering index (noise sigma^2 = 0.1)");
  EXPECT_EQ(information_through(QuantisedInModel{4}, t).validity, Validity::out_of_range);
  const Estimate signs = information_through(QuantisedInModel{2}, t.sign());
  EXPECT_LE(*signs.value, 3 * std::numbers::ln2);
  EXPECT_GT(*signs.value, 1.9);
}

// A closed gate takes its unit away; the others are in units of their own noise.
TEST(Channel, GatesScaleEachUnitByItsNoise) {
  const at::Tensor t = normals(300, 2, 0);
  const at::Tensor variance = at::tensor({4.0, INFINITY}, at::kDouble);
  const Estimate gated = information_through(Gates{variance}, t);
  const Estimate alone = information_through(NoiseInModel{4}, t.narrow(1, 0, 1));
  EXPECT_NEAR(*gated.value, *alone.value, 0.05);
}

}  // namespace
}  // namespace crrm
