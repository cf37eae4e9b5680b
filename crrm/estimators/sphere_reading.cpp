#include "crrm/estimators/sphere_reading.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace crrm {

namespace {

constexpr double kTolerated = 1.1;     // sphere's dimension by what is read
constexpr int64_t kSteps = 500;        // of the quadrature: relative error below 1e-4
constexpr double kNegligible = 1e-12;  // expected points nearer than the first step
constexpr double kFarthest = 1e4;      // dimension beyond which no sphere is looked for

double harmonic(int64_t n1, int64_t n2) {
  double sum = 0;  // psi(n2) - psi(n1)
  for (int64_t j = n1; j < n2; ++j) sum += 1 / static_cast<double>(j);
  return sum;
}

// Points of a sphere of the dimension for which the reading is within kTolerated of it.
double points_needed(double dimension, double points, int64_t n1, int64_t n2) {
  while (points < 1e18 && sphere_reading(dimension, points, n1, n2) * kTolerated < dimension)
    points *= 2;
  return points;
}

}  // namespace

double sphere_reading(double dimension, double points, int64_t n1, int64_t n2) {
  using std::numbers::pi;
  // Angles theta = e^t from where hardly any point lies, as F is about sin^d theta, up to pi.
  const double first = std::log(std::asin(std::exp(std::log(kNegligible / points) / dimension)));
  const at::Tensor t = at::linspace(first, std::log(pi), kSteps + 1, at::kDouble);
  const at::Tensor angle = t.exp().clamp_max(pi);
  // Density of the angle in t, theta sin^{d-1} theta, up to its largest value.
  at::Tensor density = t + (dimension - 1) * angle.sin().clamp_min(1e-300).log();
  density = (density - density.max()).exp();
  const at::Tensor steps = (density.narrow(0, 1, kSteps) + density.narrow(0, 0, kSteps)) / 2;
  const at::Tensor cumulative = steps.cumsum(0);
  const at::Tensor within =  // F at the ends of steps, but the last
      (cumulative / cumulative[kSteps - 1]).narrow(0, 0, kSteps - 1).clamp(1e-300, 1 - 1e-16);
  const at::Tensor log_distance = (angle / 2).sin().log();
  at::Tensor between = at::zeros_like(within);
  for (int64_t j = n1; j < n2; ++j) {
    const double choices = std::lgamma(points) - std::lgamma(static_cast<double>(j) + 1) -
                           std::lgamma(points - static_cast<double>(j));
    between += (choices + static_cast<double>(j) * within.log() +
                (points - 1 - static_cast<double>(j)) * (-within).log1p())
                   .exp();
  }
  // d ln r about the ends of steps, by central differences
  const at::Tensor width =
      (log_distance.narrow(0, 2, kSteps - 1) - log_distance.narrow(0, 0, kSteps - 1)) / 2;
  return harmonic(n1, n2) / (between * width).sum().item<double>();
}

void check_range(Estimate& estimate, int64_t n1, int64_t n2) {
  if (!estimate.value || *estimate.value < 1) return;
  const auto points = static_cast<double>(estimate.samples);
  double low = *estimate.value, high = low;
  while (high < kFarthest && sphere_reading(high, points, n1, n2) < *estimate.value) high *= 2;
  for (int i = 0; i < 20; ++i) {
    const double middle = (low + high) / 2;
    (sphere_reading(middle, points, n1, n2) < *estimate.value ? low : high) = middle;
  }
  estimate.details.emplace_back("sphere_dimension", high);
  if (high <= kTolerated * *estimate.value || estimate.validity != Validity::ok) return;
  estimate.validity = Validity::out_of_range;
  estimate.reason = fmt::format(
      "{} points of a sphere of dimension {:.1f} give this number too: it is about {:.0f} % low, "
      "unless "
      "there were {:.0g} points",
      estimate.samples, high, 100 * (1 - *estimate.value / high),
      points_needed(high, points, n1, n2));
}

}  // namespace crrm
