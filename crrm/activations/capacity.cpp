// Manifold capacity of a layer: the samples of a class are a manifold, seen on its own (mean-field
// theory) and with all others at once (GLUE).
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/activations/layer_measure.h"
#include "crrm/base/random.h"
#include "crrm/estimators/glue.h"
#include "crrm/estimators/manifold_capacity.h"

namespace crrm {

namespace {

constexpr int64_t kGluePoints = 300;  // of all classes: its programs have a multiplier for each
constexpr int64_t kGlueDirections = 100;
constexpr int64_t kGlueClasses = 100;  // its time grows with their cube
constexpr uint64_t kClassesDrawn = 3;  // of the seed

/// The first points of each, as many as `points` leave to one, two at least; centred together, so
/// that planes have a bias.
std::vector<at::Tensor> thinned(const std::vector<at::Tensor>& manifolds, int64_t points) {
  const int64_t each = std::max<int64_t>(2, points / static_cast<int64_t>(manifolds.size()));
  std::vector<at::Tensor> few;
  for (const at::Tensor& manifold : manifolds)
    few.push_back(manifold.narrow(0, 0, std::min(each, manifold.size(0))).to(at::kDouble));
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

/// All, or as many as GLUE takes, drawn without order.
std::vector<at::Tensor> drawn(const std::vector<at::Tensor>& manifolds, uint64_t seed) {
  const auto count = static_cast<int64_t>(manifolds.size());
  if (count <= kGlueClasses) return manifolds;
  const at::Tensor order =
      at::randperm(count, at::detail::createCPUGenerator(mix(seed, kClassesDrawn)), at::kLong);
  std::vector<at::Tensor> some;
  for (int64_t i = 0; i < kGlueClasses; ++i) some.push_back(manifolds[order[i].item<int64_t>()]);
  return some;
}

Glue glue_of(const std::vector<at::Tensor>& manifolds, uint64_t seed) {
  Glue all = glue(thinned(drawn(manifolds, seed), kGluePoints),
                  {.directions = kGlueDirections, .seed = seed});
  for (Estimate* estimate : {&all.capacity, &all.radius, &all.dimension})
    estimate->details.emplace_back("classes of the data", manifolds.size());
  return all;
}

std::vector<Estimate> estimate(const LayerActivations& seen) {
  const Estimate blank{.measure = "manifold capacity", .samples = seen.reduced.size(0)};
  if (!seen.labels.defined())
    return {refuse(blank, Validity::out_of_range, "the data have no labels, so no manifolds")};
  const std::vector<at::Tensor> manifolds = manifolds_of(seen);
  if (manifolds.empty())
    return {refuse(blank, Validity::too_few_samples, "no class has two samples")};
  const ManifoldCapacity mean_field = manifold_capacity(manifolds, {.seed = seen.seed});
  const Glue all = glue_of(manifolds, seen.seed);
  return {
      mean_field.capacity, mean_field.radius, mean_field.dimension, mean_field.centre_correlation,
      all.capacity,        all.radius,        all.dimension};
}

const LayerMeasureRegistration registration({.family = "capacity", .estimate = &estimate});

}  // namespace

}  // namespace crrm
