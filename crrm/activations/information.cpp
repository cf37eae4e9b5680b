// What a layer tells about its input, through a channel that is named, and about the labels.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <limits>

#include "crrm/activations/layer_measure.h"
#include "crrm/activations/projection.h"
#include "crrm/estimators/held_out_information.h"
#include "crrm/estimators/mutual_information.h"
#include "crrm/estimators/noisy_channel.h"
#include "crrm/estimators/renyi.h"

namespace crrm {

namespace {

constexpr int64_t kNeighbourComponents = 10;  // what neighbours still see
constexpr int64_t kLinearComponents = 50;

/// The first principal components of the rows, [n, at most `count`] float32: subspace iteration
/// from a random start, Halko, Martinsson & Tropp, SIAM Review 53, 217 (2011), algorithm 4.4.
at::Tensor principal_components(const at::Tensor& rows, int64_t count, uint64_t seed) {
  const at::Tensor centred = rows - rows.mean(0);
  if (rows.size(1) <= count) return centred;
  constexpr int64_t kMore = 10;  // directions besides, and rounds: both far on the safe side
  constexpr int kRounds = 8;
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const int64_t width = std::min({count + kMore, rows.size(0), rows.size(1)});
  at::Tensor basis = at::randn({rows.size(1), width}, generator, at::TensorOptions(at::kFloat));
  for (int round = 0; round < kRounds; ++round)
    basis = std::get<0>(at::linalg_qr(centred.t().mm(centred.mm(basis))));
  const at::Tensor seen = centred.mm(basis);  // [n, width]
  const auto [turned, sizes, directions] = at::linalg_svd(seen, /*full_matrices=*/false);
  return (turned * sizes).narrow(1, 0, std::min(count, width));
}

// Of the noise's variance in the mean squared distance of two samples: from where all are told
// apart to where none are.
constexpr double kNoiseShares[] = {1e-3, 1e-2, 1e-1, 1};
constexpr int64_t kNoiseFeatures = 512;  // squared distances vary by 6 % under the projection

/// What noise of the analysis leaves, for each of the shares. @param layer  [n, features]
std::vector<Estimate> clustering_indices(const at::Tensor& layer, uint64_t seed) {
  const at::Tensor h = project(layer, kNoiseFeatures, seed);
  const int64_t n = h.size(0);
  const double distance = n > 1 ? 2 * h.to(at::kDouble).var(0).sum().item<double>() : 0;
  std::vector<Estimate> all;
  for (const double share : kNoiseShares) {
    const std::string name = fmt::format("clustering index (noise {:g})", share);
    if (distance == 0) {
      all.push_back(refuse({.measure = name, .unit = "nats", .samples = n},
                           n > 1 ? Validity::ties : Validity::too_few_samples,
                           n > 1 ? "all samples are the same" : "one sample has no distances"));
      continue;
    }
    const NoisyChannel channel =
        noisy_channel(h, share * distance, {.per_sample = 1, .seed = seed});
    Estimate index = channel.estimate;
    index.measure = name;
    index.interval = Interval{*channel.lower.value, *channel.upper.value};
    index.assumptions =
        "noise of the analysis, its variance that share of the mean squared distance of two "
        "samples: no property of the network; interval: bounds of Kolchinsky & Tracey, between "
        "which the number is drawn with the error of the details";
    index.details.emplace_back("features", static_cast<double>(h.size(1)));
    all.push_back(std::move(index));
  }
  return all;
}

/// The gates' channel (docs/theory.md, equation 3): noise of variance D (1 - D) E f^2 on (1 - D) f,
/// so of D / (1 - D) E f^2 on f; a unit with a closed gate says nothing, whatever its power.
std::vector<Estimate> through_gates(const LayerActivations& seen) {
  const Estimate blank{.measure = "I(X;T)", .unit = "nats", .samples = seen.values.size(0)};
  if (!seen.distortion.defined())
    return {refuse(blank, Validity::out_of_range, "no gates of a crrm run are on this layer")};
  const at::Tensor open = seen.distortion.index({seen.distortion < 1});  // [open units]
  const bool whole = seen.layer.features == seen.distortion.numel();
  if (!whole && seen.layer.features != open.numel())
    return {refuse(blank, Validity::out_of_range,
                   "all positions of a unit share one draw of its gate: no noise of each feature")};
  const at::Tensor distortion = whole ? seen.distortion : open;
  const at::Tensor power = seen.values.to(at::kDouble).square().mean(0);  // [features]
  const at::Tensor variance =
      (distortion / (1 - distortion) * power)
          .masked_fill(distortion == 1, std::numeric_limits<double>::infinity());
  if (variance.min().item<double>() <= 0)
    return {refuse(blank, Validity::out_of_range, "a gate or an activation without any noise")};
  Estimate through = information_through(Gates{variance}, seen.values, {.seed = seen.seed});
  through.assumptions += "; gates as the ramp ended, on a Gaussian unit of the same power";
  return {through};
}

/// With the kernel of equal labels for Y, as the papers have it.
std::vector<Estimate> matrix_renyi(const LayerActivations& seen, double h) {
  constexpr double kAlpha = 1.01;
  const double width = silverman_width(seen.reduced, h);
  const at::Tensor kernel = gaussian_kernel(seen.reduced, width);
  std::vector<Estimate> all = {renyi_entropy(kernel, kAlpha)};
  if (seen.labels.defined())
    all.push_back(renyi_information(
        kernel, seen.labels.unsqueeze(1).eq(seen.labels).to(at::kDouble), kAlpha));
  for (Estimate& estimate : all) estimate.details.emplace_back("kernel width", width);
  return all;
}

/// What the layer says about its input; and about the labels, by the channel itself.
std::vector<Estimate> through_channel(const LayerActivations& seen) {
  if (std::holds_alternative<NoiseSweep>(seen.channel))
    return clustering_indices(seen.values, seen.seed);
  if (std::holds_alternative<GatesOfRun>(seen.channel)) return through_gates(seen);
  if (const auto* renyi = std::get_if<MatrixRenyi>(&seen.channel))
    return matrix_renyi(seen, renyi->h);
  const Channel& channel = std::get<Channel>(seen.channel);
  const bool rounds = std::holds_alternative<QuantisedInModel>(channel) ||
                      std::holds_alternative<PostHocBins>(channel);
  const at::Tensor& layer = rounds ? seen.values : seen.reduced;
  const NoiseDraws draws{.per_sample = 1, .seed = seen.seed};
  std::vector<Estimate> all = {information_through(channel, layer, draws)};
  if (seen.labels.defined())
    all.push_back(label_information_through(channel, layer, seen.labels, draws));
  return all;
}

std::vector<Estimate> label_information(const LayerActivations& seen) {
  if (!seen.labels.defined())
    return {refuse({.measure = "I(T;Y)", .unit = "nats", .samples = seen.reduced.size(0)},
                   Validity::out_of_range, "the data have no labels")};
  const auto of_components = [&](Estimate estimate, const at::Tensor& components) {
    estimate.details.emplace_back("principal components", static_cast<double>(components.size(1)));
    return estimate;
  };
  const at::Tensor many = principal_components(seen.reduced, kLinearComponents, seen.seed);
  const at::Tensor few = principal_components(many, kNeighbourComponents, seen.seed);
  return {of_components(ross(few, seen.labels, {.seed = seen.seed}), few),
          of_components(held_out_information(many, seen.labels, seen.seed), many)};
}

std::vector<Estimate> estimate(const LayerActivations& seen) {
  std::vector<Estimate> all = through_channel(seen);
  for (Estimate& labels : label_information(seen)) all.push_back(std::move(labels));
  return all;
}

const LayerMeasureRegistration registration({.family = "information", .estimate = &estimate});

}  // namespace

}  // namespace crrm
