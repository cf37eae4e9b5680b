#include "crrm/estimators/intrinsic_dimension.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "crrm/base/normal.h"
#include "crrm/estimators/neighbour_ratios.h"
#include "crrm/estimators/sphere_reading.h"

namespace crrm {

namespace {

// x with P(Gamma(shape) <= x) = probability, by bisection.
double gamma_quantile(double shape, double probability) {
  double low = 0, high = shape + 10 * std::sqrt(shape) + 20;
  const at::Tensor a = at::scalar_tensor(shape, at::kDouble);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double below =
        at::special_gammainc(a, at::scalar_tensor(middle, at::kDouble)).item<double>();
    (below < probability ? low : high) = middle;
  }
  return high;
}

}  // namespace

Estimate two_nn(const Neighbours& neighbours) {
  Estimate estimate =
      describe_dimension(neighbours, "TwoNN",
                         "Facco, d'Errico, Rodriguez, Laio, Sci. Rep. 7, 12140 (2017), eq. 5; "
                         "maximum likelihood");
  if (neighbours.points() < 3 || neighbours.k() < 2)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} different points; 3 are needed", neighbours.points()));
  const at::Tensor ratios = log_ratios(neighbours, 1, 2);
  const double sum = ratios.sum().item<double>();
  if (!(sum > 0)) return refuse_equal_distances(std::move(estimate));
  const auto m = static_cast<double>(neighbours.points());
  estimate.value = (m - 1) / sum;
  const double inflation = overlap_inflation(neighbours, ratios, 2);
  const double shape = m / inflation;  // so many independent ratios
  estimate.interval = {gamma_quantile(shape, 0.025) / sum * inflation,
                       gamma_quantile(shape, 0.975) / sum * inflation};
  estimate.details.emplace_back("standard_error", *estimate.value * std::sqrt(inflation / (m - 2)));
  check_samples(estimate, neighbours, 1, 2);
  check_range(estimate, neighbours.features, ratio_between(1, 2));
  return estimate;
}

Estimate levina_bickel(const Neighbours& neighbours, int64_t k) {
  Estimate estimate =
      describe_dimension(neighbours, "Levina-Bickel",
                         "Levina & Bickel, NIPS 2004, eq. 8, with the harmonic mean of MacKay & "
                         "Ghahramani (2005)");
  estimate.details.emplace_back("k", k);
  if (k < 2 || k > neighbours.k() || neighbours.points() < 3)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} neighbours a point of {} different points; at least 2 and the {} "
                              "asked for are needed",
                              neighbours.k(), neighbours.points(), k));
  at::Tensor inverse = at::zeros({neighbours.points()}, at::kDouble);
  for (int64_t j = 1; j < k; ++j) inverse += log_ratios(neighbours, j, k);
  inverse /= static_cast<double>(k - 1);
  const double mean = inverse.mean().item<double>();
  if (!(mean > 0)) return refuse_equal_distances(std::move(estimate));
  const auto m = static_cast<double>(neighbours.points());
  estimate.value = 1 / mean;
  const double error = inverse.std().item<double>() *
                       std::sqrt(overlap_inflation(neighbours, inverse, k) / m) / mean / mean;
  estimate.interval = {*estimate.value - kNormal975 * error, *estimate.value + kNormal975 * error};
  estimate.details.emplace_back("standard_error", error);
  check_samples(estimate, neighbours, 1, k);
  check_range(estimate, neighbours.features, mean_ratio_to(k));
  return estimate;
}

}  // namespace crrm
