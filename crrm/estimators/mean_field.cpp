#include "crrm/estimators/mean_field.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "crrm/estimators/cone_projection.h"

namespace crrm {

namespace {

constexpr double kSpanned = 1e-12;  // an axis with less of the largest axis's variance is noise

DirectionMean mean_of(const at::Tensor& samples) {  // [T]
  return {.value = samples.mean().item<double>(),
          .error = (samples.std() / std::sqrt(samples.numel())).item<double>()};
}

// Weights [T, M] of the anchor points: the multipliers, or the point next to its constraint for a
// direction that keeps the margin already.
at::Tensor anchor_weights(const at::Tensor& multipliers, const at::Tensor& products) {
  const at::Tensor total = multipliers.sum(1, /*keepdim=*/true);  // [T, 1]
  const at::Tensor nearest =
      at::zeros_like(products).scatter_(1, products.argmin(1, /*keepdim=*/true), 1.0);
  return at::where(total > 0, multipliers / total, nearest);
}

double density(double t) {
  return std::exp(-t * t / 2) / std::sqrt(2 * std::numbers::pi);
}

double below(double t) {
  return std::erfc(-t / std::numbers::sqrt2) / 2;
}

// int_{-inf}^{z} Dt (t - c)^2
double lower_moment(double z, double c) {
  return (1 + c * c) * below(z) + (2 * c - z) * density(z);
}

}  // namespace

at::Tensor own_frame(const at::Tensor& points) {
  const at::Tensor centre = points.mean(0);                                 // [N]
  const at::Tensor spread = (points - centre) / centre.norm();              // [M, N]
  const auto [squares, axes] = at::linalg_eigh(spread.matmul(spread.t()));  // [M], [M, M]
  const at::Tensor spanned = squares > kSpanned * squares[-1];              // [M]
  const at::Tensor kept = at::nonzero(spanned).squeeze(1);                  // [D]
  return axes.index_select(1, kept) * squares.index_select(0, kept).sqrt();
}

ManifoldGeometry mean_field_geometry(const at::Tensor& frame, double kappa, int64_t directions,
                                     at::Generator generator) {
  const int64_t points = frame.size(0), axes = frame.size(1);
  const at::Tensor t = at::randn({directions, axes + 1}, generator, at::kDouble);     // [T, D + 1]
  const at::Tensor lifted = at::cat({frame, at::ones({points, 1}, at::kDouble)}, 1);  // [M, D + 1]
  const at::Tensor products = t.matmul(lifted.t());                                   // [T, M]
  const ConeProjection found = project_onto_cone(lifted.matmul(lifted.t()), products, kappa);
  const at::Tensor anchors = anchor_weights(found.multipliers, products).matmul(frame);  // [T, D]
  ManifoldGeometry geometry;
  geometry.inverse_capacity = mean_of(found.distance);
  geometry.violation = found.violation;
  if (axes == 0) return geometry;
  const DirectionMean square = mean_of((anchors - anchors.mean(0)).square().sum(1));
  geometry.radius.value = std::sqrt(square.value);
  if (square.value > 0) geometry.radius.error = square.error / (2 * geometry.radius.value);
  const at::Tensor along = t.narrow(1, 0, axes);  // [T, D]
  const DirectionMean cosine =
      mean_of((along * anchors).sum(1) / (along.norm(2, 1) * anchors.norm(2, 1)).clamp_min(1e-300));
  geometry.dimension = {.value = axes * cosine.value * cosine.value,
                        .error = 2 * axes * std::abs(cosine.value) * cosine.error};
  return geometry;
}

double point_capacity(double kappa) {
  return 1 / lower_moment(kappa, kappa);
}

double ball_capacity(double radius, int64_t dimension, double kappa) {
  // Simpson's rule over the norm of t within the ball's span, chi-distributed.
  constexpr int kSteps = 4096;
  const double end = std::sqrt(static_cast<double>(dimension)) + 10, step = end / kSteps;
  const double normalisation = std::log(2.0) * (1 - dimension / 2.0) - std::lgamma(dimension / 2.0);
  double inverse = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double r = i * step;
    const double chi = r > 0 ? std::exp((dimension - 1) * std::log(r) - r * r / 2 + normalisation)
                             : (dimension == 1 ? std::exp(normalisation) : 0);
    const double low = kappa - r / radius, high = kappa + radius * r;  // of t_0
    const double touching =
        (lower_moment(high, high) - lower_moment(low, high)) / (1 + radius * radius);
    const double embedded = lower_moment(low, kappa) + r * r * below(low);
    inverse += chi * (touching + embedded) * (i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2);
  }
  return 3 / (inverse * step);
}

}  // namespace crrm
