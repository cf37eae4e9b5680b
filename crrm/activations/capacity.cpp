// Manifold capacity of a layer: the samples of a class are a manifold, seen on its own (mean-field
// theory) and with all others at once (GLUE).
#include <ATen/ATen.h>

#include "crrm/activations/layer_measure.h"
#include "crrm/estimators/glue.h"
#include "crrm/estimators/manifold_capacity.h"

namespace crrm {

namespace {

constexpr int64_t kGluePoints = 300;  // of all classes: its programs have a multiplier for each
constexpr int64_t kGlueDirections = 100;

/// The first points of each, as many as `points` leave to one, two at least; centred together, so
/// that planes have a bias.
std::vector<at::Tensor> thinned(const std::vector<at::Tensor>& manifolds, int64_t points) {
  const int64_t each = std::max<int64_t>(2, points / static_cast<int64_t>(manifolds.size()));
  std::vector<at::Tensor> few;
  for (const at::Tensor& manifold : manifolds)
    few.push_back(manifold.narrow(0, 0, std::min(each, manifold.size(0))));
  const at::Tensor mean = at::cat(few).mean(0);
  for (at::Tensor& manifold : few) manifold = manifold - mean;
  return few;
}

/// Those of at least two samples: a single point has no radius.
std::vector<at::Tensor> manifolds_of(const LayerActivations& seen) {
  std::vector<at::Tensor> manifolds;
  for (int64_t c = 0; c < seen.classes; ++c) {
    const at::Tensor members = (seen.labels == c).nonzero().flatten();
    if (members.numel() > 1) manifolds.push_back(seen.reduced.index_select(0, members));
  }
  return manifolds;
}

std::vector<Estimate> estimate(const LayerActivations& seen) {
  const Estimate blank{.measure = "manifold capacity", .samples = seen.reduced.size(0)};
  if (!seen.labels.defined())
    return {refuse(blank, Validity::out_of_range, "the data have no labels, so no manifolds")};
  const std::vector<at::Tensor> manifolds = manifolds_of(seen);
  if (manifolds.empty())
    return {refuse(blank, Validity::too_few_samples, "no class has two samples")};
  const ManifoldCapacity mean_field = manifold_capacity(manifolds, {.seed = seen.seed});
  const Glue all =
      glue(thinned(manifolds, kGluePoints), {.directions = kGlueDirections, .seed = seen.seed});
  return {
      mean_field.capacity, mean_field.radius, mean_field.dimension, mean_field.centre_correlation,
      all.capacity,        all.radius,        all.dimension};
}

const LayerMeasureRegistration registration({.family = "capacity", .estimate = &estimate});

}  // namespace

}  // namespace crrm
