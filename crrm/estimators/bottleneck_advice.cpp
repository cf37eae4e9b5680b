#include "crrm/estimators/bottleneck_advice.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/estimators/gride.h"
#include "crrm/estimators/neighbours.h"
#include "crrm/estimators/separability.h"
#include "crrm/estimators/simplex_skewness.h"

namespace crrm {

namespace {

constexpr int64_t kNeighbours = 128;  // for GRIDE up to n1 = 64
constexpr double kDisagreement = 1.5;

/// GRIDE's plateau, or TwoNN, its first scale; null where there is neither.
const Estimate* headline(const GrideProfile& profile) {
  if (profile.plateau.value) return &profile.plateau;
  if (profile.scales.empty() || profile.scales[0].refused()) return nullptr;
  return &profile.scales[0];
}

void compare(BottleneckAdvice& advice, double dimension, const Estimate& other) {
  if (other.refused()) {
    advice.cautions.push_back(fmt::format("{} refuses: {}", other.measure, other.reason));
    return;
  }
  const double factor = *other.value / dimension;
  if (factor <= kDisagreement && factor >= 1 / kDisagreement) return;
  advice.compresses = false;
  advice.cautions.push_back(fmt::format(
      "{} gives {:.1f} where distances give {:.1f}: {}", other.measure, *other.value, dimension,
      factor > 1
          ? "the set is curved, or has too few samples for its dimension"
          : "angles see directions of large variance alone, distances smaller ones too, such "
            "as noise"));
}

void suggest_widths(BottleneckAdvice& advice, const Estimate& dimension) {
  const double upper = dimension.interval ? dimension.interval->high : *dimension.value;
  advice.width =
      static_cast<int64_t>(std::min(std::ceil(upper), static_cast<double>(advice.features)));
  advice.safe_width = std::min(2 * *advice.width + 1, advice.features);
  advice.cautions.push_back(
      "found so far: autoencoders on smooth manifolds need as many units as the dimension, on "
      "images more; what classifiers need depends on the labels");
  advice.compresses =
      dimension.validity == Validity::ok && 2 * *advice.safe_width <= advice.features;
  if (dimension.validity != Validity::ok)
    advice.cautions.push_back(fmt::format("{}: {}", name_of(dimension.validity), dimension.reason));
  if (2 * *advice.safe_width > advice.features)
    advice.cautions.push_back(fmt::format("a safe width of {} is more than half of {} features",
                                          *advice.safe_width, advice.features));
}

}  // namespace

BottleneckAdvice advise_bottleneck(const at::Tensor& points) {
  BottleneckAdvice advice{
      .samples = points.size(0), .features = points.size(1), .estimates = {}, .cautions = {}};
  const Neighbours neighbours = nearest_neighbours(points, kNeighbours);
  const GrideProfile profile = gride(neighbours);
  const Estimate by_angles = separability_dimension(points);
  const Estimate by_skewness = simplex_skewness_dimension(points, neighbours);
  advice.estimates = profile.scales;
  advice.estimates.insert(advice.estimates.end(), {profile.plateau, by_angles, by_skewness});
  const Estimate* dimension = headline(profile);
  if (dimension == nullptr) {
    advice.cautions.push_back(fmt::format("no dimension: {}", profile.plateau.reason));
    return advice;
  }
  if (profile.plateau.refused())
    advice.cautions.push_back(
        fmt::format("{}, so the dimension depends on the scale", profile.plateau.reason));
  suggest_widths(advice, *dimension);
  compare(advice, *dimension->value, by_angles);
  compare(advice, *dimension->value, by_skewness);
  return advice;
}

}  // namespace crrm
