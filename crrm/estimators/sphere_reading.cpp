#include "crrm/estimators/sphere_reading.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

namespace crrm {

namespace {

constexpr double kTolerated = 1.1;     // sphere's dimension by what is read
constexpr int64_t kSteps = 500;        // of the quadrature: relative error below 1e-4
constexpr double kNegligible = 1e-12;  // expected points nearer than the first step
constexpr double kFarthest = 1e4;      // dimension beyond which no sphere is looked for

// Points of a sphere of the dimension for which the reading is within kTolerated of it.
double points_needed(double dimension, double points, const LogRatioSum& statistic) {
  while (points < 1e18 && sphere_reading(dimension, points, statistic) * kTolerated < dimension)
    points *= 2;
  return points;
}

void mark(Estimate& estimate, std::string reason) {
  if (estimate.validity != Validity::ok) return;
  estimate.validity = Validity::out_of_range;
  estimate.reason = std::move(reason);
}

}  // namespace

LogRatioSum ratio_between(int64_t n1, int64_t n2) {
  return {.first = n1, .weights = std::vector<double>(static_cast<size_t>(n2 - n1), 1)};
}

LogRatioSum mean_ratio_to(int64_t k) {
  LogRatioSum sum{.first = 1, .weights = std::vector<double>(static_cast<size_t>(k - 1))};
  std::iota(sum.weights.begin(), sum.weights.end(), 1);
  return sum;
}

double sphere_reading(double dimension, double points, const LogRatioSum& statistic) {
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
  const at::Tensor log_within = within.log(), log_beyond = (-within).log1p();
  double flat = 0;  // d times the mean where neighbours are near
  auto j = static_cast<double>(statistic.first);
  for (const double weight : statistic.weights) {
    const double choices = std::lgamma(points) - std::lgamma(j + 1) - std::lgamma(points - j);
    between += weight * (choices + j * log_within + (points - 1 - j) * log_beyond).exp();
    flat += weight / j++;
  }
  // d ln r about the ends of steps, by central differences
  const at::Tensor width =
      (log_distance.narrow(0, 2, kSteps - 1) - log_distance.narrow(0, 0, kSteps - 1)) / 2;
  return flat / (between * width).sum().item<double>();
}

void check_range(Estimate& estimate, int64_t features, const LogRatioSum& statistic) {
  if (!estimate.value || *estimate.value < 1) return;
  const double value = *estimate.value, points = static_cast<double>(estimate.samples);
  const double most =
      features > 0 ? static_cast<double>(features) : std::numeric_limits<double>::infinity();
  if ((estimate.interval ? estimate.interval->low : value / kTolerated) > most)
    return mark(estimate, fmt::format("more than the {} features: neighbours are nearly equally "
                                      "far, as between clusters",
                                      features));
  double low = value, high = value;
  while (high < kFarthest && sphere_reading(high, points, statistic) < value) high *= 2;
  if (high >= kFarthest)
    return mark(estimate, fmt::format("no sphere of {} points gives this number: neighbours are "
                                      "nearly equally far",
                                      estimate.samples));
  for (int i = 0; i < 20; ++i) {
    const double middle = (low + high) / 2;
    (sphere_reading(middle, points, statistic) < value ? low : high) = middle;
  }
  estimate.details.emplace_back("sphere_dimension", high);
  if (estimate.interval) {
    double& upper = estimate.interval->high;
    upper = std::max(upper, std::min(most, upper * high / value));
  }
  if (high > kTolerated * value)
    mark(estimate,
         fmt::format("{} points of a sphere of dimension {:.1f} give this number too: it is about "
                     "{:.0f} % low, unless there were {:.0g} points",
                     estimate.samples, high, 100 * (1 - value / high),
                     points_needed(high, points, statistic)));
}

}  // namespace crrm
