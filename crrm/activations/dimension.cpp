// Intrinsic dimension of a layer: the profile over scales, and second opinions of other families.
#include <ATen/ATen.h>

#include "crrm/activations/layer_measure.h"
#include "crrm/estimators/correlation_dimension.h"
#include "crrm/estimators/gride.h"
#include "crrm/estimators/intrinsic_dimension.h"
#include "crrm/estimators/separability.h"
#include "crrm/estimators/simplex_skewness.h"

namespace crrm {

namespace {

constexpr int64_t kNeighbours = 128;  // twice the largest scale of GRIDE
constexpr int64_t kLevinaBickel = 20;
constexpr int64_t kSkewnessNeighbours = 100;  // as scikit-dimension has it
constexpr int64_t kNeighbourhoods = 400;      // whose skewness is averaged: a Gram matrix each

/// The neighbours of some of the points, evenly spread.
Neighbours thinned(const Neighbours& all, int64_t points, int64_t k) {
  const int64_t m = all.points();
  const at::Tensor chosen =
      at::floor_divide(at::arange(std::min(m, points), at::kLong) * m, std::min(m, points));
  Neighbours few = all;
  few.distances = all.distances.index_select(0, chosen).narrow(1, 0, k);
  few.indices = all.indices.index_select(0, chosen).narrow(1, 0, k);
  few.rows = all.rows.index_select(0, chosen);
  return few;
}

std::vector<Estimate> estimate(const LayerActivations& seen) {
  const at::Tensor& points = seen.reduced;
  const Neighbours neighbours = nearest_neighbours(points, kNeighbours);
  std::vector<Estimate> all = {two_nn(neighbours)};
  const GrideProfile profile = gride(neighbours);
  all.push_back(profile.plateau);
  all.insert(all.end(), profile.scales.begin(), profile.scales.end());
  all.push_back(levina_bickel(neighbours, kLevinaBickel));
  all.push_back(correlation_dimension(points, neighbours));
  all.push_back(separability_dimension(points));
  all.push_back(simplex_skewness_dimension(
      points, thinned(neighbours, kNeighbourhoods, std::min(kSkewnessNeighbours, neighbours.k()))));
  return all;
}

const LayerMeasureRegistration registration({.family = "dimension", .estimate = &estimate});

}  // namespace

}  // namespace crrm
