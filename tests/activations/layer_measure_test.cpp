#include "crrm/activations/layer_measure.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSamples = 300, kClasses = 3;

at::Tensor normal(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

/// Three classes on a curved surface of three coordinates, in ten features.
LayerActivations curved_layer() {
  LayerActivations seen;
  seen.labels = at::arange(kSamples, at::kLong) % kClasses;
  const at::Tensor coordinates =
      normal({kSamples, 3}, 1) + 2 * normal({kClasses, 3}, 2).index_select(0, seen.labels);
  seen.values = at::tanh(coordinates.mm(0.5 * normal({3, 10}, 3))).contiguous();
  seen.reduced = seen.values;
  seen.layer = {"v", "Tanh", {10}, 10};
  seen.classes = kClasses;
  return seen;
}

std::vector<Estimate> estimates_of(const std::string& family, const LayerActivations& seen) {
  for (const LayerMeasure& measure : layer_measures())
    if (measure.family == family)
      return estimates_of(measure, seen, samples_not_finite(seen.values));
  return {};
}

/// Those of the information family whose measure starts so.
std::vector<Estimate> information_of(const LayerActivations& seen, const std::string& measure) {
  std::vector<Estimate> some;
  for (Estimate& estimate : estimates_of("information", seen))
    if (estimate.measure.starts_with(measure)) some.push_back(std::move(estimate));
  return some;
}

LayerActivations with_values(LayerActivations seen, const at::Tensor& values) {
  seen.values = seen.reduced = values.contiguous();
  return seen;
}

LayerActivations without_labels() {
  LayerActivations seen = curved_layer();
  seen.labels = at::Tensor();
  seen.classes = 0;
  return seen;
}

TEST(LayerMeasures, AreTheFamiliesOfTheManual) {
  EXPECT_THAT(layer_measure_families(),
              ElementsAre("capacity", "dimension", "information", "rates", "spectrum"));
}

// Distances, inner products and what follows from them do not change under an orthogonal map; what
// draws directions at random may, within their error.
TEST(LayerMeasures, AreTheSameForALayerThatIsPermutedOrRotated) {
  const LayerActivations seen = curved_layer();
  const at::Tensor rotation = std::get<0>(at::linalg_qr(normal({10, 10}, 4)));
  const at::Tensor order =
      at::randperm(10, at::detail::createCPUGenerator(5), at::TensorOptions(at::kLong));
  for (const at::Tensor& values : {seen.values.index_select(1, order), seen.values.mm(rotation)})
    for (const std::string family : {"dimension", "spectrum"}) {
      const std::vector<Estimate> before = estimates_of(family, seen);
      const std::vector<Estimate> after = estimates_of(family, with_values(seen, values));
      ASSERT_EQ(before.size(), after.size());
      for (size_t i = 0; i < before.size(); ++i) {
        SCOPED_TRACE(before[i].measure);
        EXPECT_EQ(before[i].validity, after[i].validity);
        ASSERT_EQ(before[i].refused(), after[i].refused());
        if (!before[i].refused()) {
          EXPECT_NEAR(*before[i].value, *after[i].value, 1e-3 * std::abs(*before[i].value));
        }
      }
    }
}

// Three coordinates; twice its standard error of 3 / sqrt(300), and curvature that adds little.
TEST(LayerMeasures, FindTheCoordinatesOfACurvedLayer) {
  const Estimate dimension = estimates_of("dimension", curved_layer())[0];
  EXPECT_EQ(dimension.measure, "TwoNN");
  EXPECT_NEAR(*dimension.value, 3, 0.5);
}

TEST(LayerMeasures, OfDimensionRefuseOneSampleAndAConstantLayer) {
  for (const at::Tensor& values : {normal({1, 10}, 1), at::full({kSamples, 10}, 0.1)})
    for (const Estimate& estimate : estimates_of("dimension", with_values(curved_layer(), values)))
      EXPECT_TRUE(estimate.refused()) << estimate.measure;
}

// An invertible layer that only scales: nothing of it may change.
TEST(LayerMeasures, DoNotSeeTheScaleOfALayer) {
  const LayerActivations seen = curved_layer();
  for (const std::string family : {"dimension", "capacity", "spectrum", "information"}) {
    const std::vector<Estimate> before = estimates_of(family, seen);
    const std::vector<Estimate> after = estimates_of(family, with_values(seen, 16 * seen.values));
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      SCOPED_TRACE(before[i].measure);
      ASSERT_EQ(before[i].refused(), after[i].refused());
      if (!before[i].refused()) {
        EXPECT_NEAR(*before[i].value, *after[i].value, 1e-6 * std::abs(*before[i].value) + 1e-9);
      }
    }
  }
}

// Noise of variance v adds at most sum 1/2 ln(1 + l / v) <= sum l / (2 v) nats, l the variances of
// the layer; their sum is half of the mean squared distance m. So it is at most m / (4 v).
TEST(LayerMeasures, ClusteringIndicesFallOverTheSweepAndKeepTheirBound) {
  const std::vector<Estimate> sweep = information_of(curved_layer(), "clustering index");
  ASSERT_EQ(sweep.size(), 4);
  EXPECT_EQ(sweep[0].measure, "clustering index (noise 0.001)");
  for (size_t i = 1; i < sweep.size(); ++i) EXPECT_LT(*sweep[i].value, *sweep[i - 1].value);
  EXPECT_LE(*sweep[0].value, std::log(kSamples));
  EXPECT_LE(sweep[3].interval->low, 0.25);
  for (const Estimate& index : sweep) {
    EXPECT_LE(index.interval->low, *index.value);
    EXPECT_GE(index.interval->high, *index.value);
  }
}

// Two samples are a pair of normals, whose draw of one noise each strays by half a nat.
TEST(LayerMeasures, ClusteringIndicesOfFewSamplesAreInsideTheirIntervals) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    LayerActivations pair = with_values(without_labels(), normal({2, 10}, seed));
    pair.seed = seed;
    for (const Estimate& index : information_of(pair, "clustering index")) {
      EXPECT_LE(index.interval->low, *index.value);
      EXPECT_GE(index.interval->high, *index.value);
    }
  }
}

// A clustered layer, as a trained one is late: its index at a middling scale is that of the
// classes, ln 3, where samples of a class lie close by.
TEST(LayerMeasures, AClusteredLayerHasTheIndexOfItsClusters) {
  LayerActivations seen = curved_layer();
  const at::Tensor centres = 10 * at::eye(kClasses, 10);
  const at::Tensor values = centres.index_select(0, seen.labels) + 1e-3 * normal({kSamples, 10}, 6);
  const std::vector<Estimate> indices =
      information_of(with_values(seen, values), "clustering index (noise 0.01)");
  ASSERT_EQ(indices.size(), 1);
  EXPECT_NEAR(*indices[0].value, std::log(3.0), 0.01);
  EXPECT_EQ(indices[0].validity, Validity::ok);
  // Where the samples of a cluster are equal, nothing but their number is left to see.
  const std::vector<Estimate> equal = information_of(
      with_values(seen, centres.index_select(0, seen.labels)), "clustering index (noise 0.01)");
  ASSERT_EQ(equal.size(), 1);
  EXPECT_EQ(equal[0].validity, Validity::saturated);
}

TEST(LayerMeasures, OfAFewSamplesRefuseTheInformationAndSayWhy) {
  for (const int64_t n : {1, 2, 7}) {
    SCOPED_TRACE(n);
    LayerActivations few = with_values(curved_layer(), normal({n, 10}, 1));
    few.labels = few.labels.narrow(0, 0, n);
    const std::vector<Estimate> of_labels = information_of(few, "I(T;Y)");
    ASSERT_EQ(of_labels.size(), 2);
    for (const Estimate& estimate : of_labels)
      EXPECT_EQ(estimate.validity, Validity::too_few_samples);
  }
}

TEST(LayerMeasures, OfValuesThatAreNotFiniteAreRefusedOneAFamily) {
  LayerActivations seen = curved_layer();
  seen.values[3][2] = std::numeric_limits<float>::quiet_NaN();
  seen.values[290][0] = std::numeric_limits<float>::infinity();
  for (const std::string& family : layer_measure_families()) {
    SCOPED_TRACE(family);
    const std::vector<Estimate> all = estimates_of(family, seen);
    ASSERT_EQ(all.size(), 1);
    EXPECT_TRUE(all[0].refused());
    EXPECT_EQ(all[0].reason, "inf or nan in 2 of 300 samples");
  }
}

// A closed gate on a unit that is dead: the unit says nothing, and the others what they say alone.
TEST(LayerMeasures, GatesChannelHasRoomForADeadUnitThatIsClosed) {
  LayerActivations seen = without_labels();
  seen.channel = GatesOfRun{};
  const at::Tensor alone = normal({kSamples, 2}, 1);
  const auto through_gates = [&](const at::Tensor& values, const std::vector<double>& distortion) {
    LayerActivations gated = with_values(seen, values);
    gated.layer.features = values.size(1);
    gated.distortion = at::tensor(distortion, at::kDouble);
    return estimates_of("information", gated)[0];
  };
  const Estimate two = through_gates(alone, {0.25, 0.5});
  const Estimate three =
      through_gates(at::cat({alone, at::zeros({kSamples, 1})}, 1), {0.25, 0.5, 1});
  ASSERT_FALSE(three.refused()) << three.reason;
  EXPECT_NEAR(*three.value, *two.value, 0.1);  // other draws of the noise
}

// A dead layer whose bias has no exact mean in float32: nothing varies, so there is nothing to
// count.
TEST(LayerMeasures, AConstantLayerHasNoDirectionsAndNoManifolds) {
  const LayerActivations dead = with_values(curved_layer(), at::full({kSamples, 10}, 0.1f));
  for (const std::string family : {"spectrum", "capacity"}) {
    const std::vector<Estimate> estimates = estimates_of(family, dead);
    ASSERT_FALSE(estimates.empty());
    for (const Estimate& estimate : estimates) {
      SCOPED_TRACE(estimate.measure);
      EXPECT_TRUE(estimate.refused() || *estimate.value == 0);
    }
  }
}

// GLUE's time grows with the cube of the classes.
TEST(LayerMeasures, GlueTakesAtMostAHundredClasses) {
  LayerActivations seen = with_values(curved_layer(), normal({kSamples, 200}, 8));
  seen.classes = kSamples / 2;
  seen.labels = at::arange(kSamples, at::kLong) % seen.classes;
  int64_t found = 0;
  for (const Estimate& estimate : estimates_of("capacity", seen)) {
    if (!estimate.measure.starts_with("GLUE")) continue;
    ++found;
    EXPECT_THAT(estimate.details, testing::Contains(std::pair<std::string, double>("P", 100)));
    EXPECT_THAT(estimate.details,
                testing::Contains(std::pair<std::string, double>("classes of the data", 150)));
  }
  EXPECT_EQ(found, 3);
}

TEST(LayerMeasures, WithoutLabelsRefuseWhatNeedsThem) {
  const LayerActivations seen = without_labels();
  const std::vector<Estimate> capacity = estimates_of("capacity", seen);
  ASSERT_EQ(capacity.size(), 1);
  EXPECT_TRUE(capacity[0].refused());
  EXPECT_THAT(capacity[0].reason, HasSubstr("no labels"));
  const std::vector<Estimate> of_labels = information_of(seen, "I(T;Y)");
  ASSERT_EQ(of_labels.size(), 1);
  EXPECT_TRUE(of_labels[0].refused());
  EXPECT_FALSE(estimates_of("dimension", seen)[0].refused());
  EXPECT_EQ(estimates_of("spectrum", seen).back().measure, "coding rate");
}

TEST(LayerMeasures, KeepJsonFreeOfWhatIsNotFinite) {
  const Estimate estimate{.measure = "TwoNN",
                          .value = 3,
                          .interval = Interval{2, std::numeric_limits<double>::infinity()},
                          .samples = 12,
                          .details = {{"k", 5}, {"ratio", std::nan("")}}};
  const Json json = to_json("dimension", estimate);
  EXPECT_EQ(json["value"], 3.0);
  EXPECT_EQ(json["low"], 2.0);
  EXPECT_TRUE(json["high"].is_null());
  EXPECT_EQ(json["details"]["k"], 5.0);
  EXPECT_TRUE(json["details"]["ratio"].is_null());
  EXPECT_EQ(json["validity"], "ok");
}

}  // namespace
}  // namespace crrm
