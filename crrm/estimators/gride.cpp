#include "crrm/estimators/gride.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/base/normal.h"
#include "crrm/estimators/intrinsic_dimension.h"
#include "crrm/estimators/neighbour_ratios.h"
#include "crrm/estimators/sphere_reading.h"

namespace crrm {

namespace {

constexpr int64_t kLargestOrder = 64;
constexpr size_t kShortestPlateau = 3;
constexpr double kAgree = 2;  // standard errors of a difference
constexpr const char* kSource =
    "Denti, Doimo, Laio, Mira, Sci. Rep. 12, 20005 (2022), eqs. 4 and 8";

double detail(const Estimate& estimate, std::string_view name) {
  const auto found = std::find_if(estimate.details.begin(), estimate.details.end(),
                                  [&](const auto& detail) { return detail.first == name; });
  return found->second;
}

// l / (1 - e^{-d l}), which tends to 1 / d for l = 0
at::Tensor tilted(const at::Tensor& l, double d) {
  return at::where(l > 0, l / (l * -d).expm1().neg(), 1 / d);
}

// From the Fisher information of independent ratios.
double fisher_error(const at::Tensor& l, double d, int64_t n1, int64_t n2) {
  const double pairs = (tilted(l, d).square() * (l * -d).exp()).sum().item<double>();
  return 1 / std::sqrt(static_cast<double>(l.size(0)) / d / d +
                       static_cast<double>(n2 - n1 - 1) * pairs);
}

Estimate gride_at(const Neighbours& neighbours, int64_t n1) {
  const int64_t n2 = 2 * n1;
  Estimate estimate = describe_dimension(neighbours, "GRIDE", kSource);
  estimate.details.emplace_back("n1", n1);
  estimate.details.emplace_back("n2", n2);
  const at::Tensor l = log_ratios(neighbours, n1, n2);
  if (!l.any().item<bool>()) return refuse_equal_distances(std::move(estimate));
  const double d = gride_root(l, n1, n2);
  const at::Tensor score =
      static_cast<double>(n2 - n1 - 1) * tilted(l, d) - static_cast<double>(n2 - 1) * l;
  const double inflation = overlap_inflation(neighbours, score, n2);
  const double error = fisher_error(l, d, n1, n2) * std::sqrt(inflation);
  estimate.value = d;
  estimate.interval = {d - kNormal975 * error, d + kNormal975 * error};
  estimate.details.insert(estimate.details.end(),
                          {{"standard_error", error}, {"overlap_inflation", inflation}});
  estimate.details.emplace_back("distance",
                                neighbours.distances.select(1, n2 - 1).median().item<double>());
  check_samples(estimate, neighbours, n1, n2);
  check_range(estimate, neighbours.features, ratio_between(n1, n2));
  return estimate;
}

// Scales see the same points, so that what overlap adds to their errors is much the same for both.
double own_error(const Estimate& estimate) {
  return detail(estimate, "standard_error") / std::sqrt(detail(estimate, "overlap_inflation"));
}

bool agree(const Estimate& a, const Estimate& b) {
  return a.value && b.value &&
         std::abs(*a.value - *b.value) <= kAgree * std::hypot(own_error(a), own_error(b));
}

Estimate plateau_of(const std::vector<Estimate>& scales, Estimate plateau) {
  size_t first = 0, length = 0;
  for (size_t start = 0, i = 1; i <= scales.size(); ++i) {
    if (i < scales.size() && agree(scales[i - 1], scales[i])) continue;
    if (i - start > length) first = start, length = i - start;
    start = i;
  }
  if (length < kShortestPlateau)
    return refuse(std::move(plateau), Validity::out_of_range,
                  fmt::format("no plateau: nowhere do {} scales agree within their errors",
                              kShortestPlateau));
  plateau.value = 0;
  plateau.interval = scales[first].interval;
  for (size_t i = first; i < first + length; ++i) {
    *plateau.value += *scales[i].value / static_cast<double>(length);
    plateau.interval->low = std::min(plateau.interval->low, scales[i].interval->low);
    plateau.interval->high = std::max(plateau.interval->high, scales[i].interval->high);
    if (scales[i].validity != Validity::ok) {
      plateau.validity = scales[i].validity;
      plateau.reason = scales[i].reason;
    }
  }
  plateau.details.emplace_back("first_n1", detail(scales[first], "n1"));
  plateau.details.emplace_back("last_n1", detail(scales[first + length - 1], "n1"));
  return plateau;
}

}  // namespace

double gride_root(const at::Tensor& log_ratios, int64_t n1, int64_t n2) {
  const double sum = log_ratios.sum().item<double>(), m = static_cast<double>(log_ratios.size(0));
  const auto above = static_cast<double>(n2 - 1), between = static_cast<double>(n2 - n1 - 1);
  const auto score = [&](double d) {
    const double tail = between > 0 ? between * tilted(log_ratios, d).sum().item<double>() : 0;
    return (m - 1) / d - above * sum + tail;
  };
  double low = 0, high = m / sum;
  while (score(high) > 0) low = high, high *= 2;
  while (high - low > 1e-12 * high) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (score(middle) > 0 ? low : high) = middle;
  }
  return high;
}

GrideProfile gride(const Neighbours& neighbours) {
  GrideProfile profile;
  if (neighbours.points() >= 3)
    for (int64_t n1 = 1; n1 <= kLargestOrder && 2 * n1 <= neighbours.k(); n1 *= 2)
      profile.scales.push_back(gride_at(neighbours, n1));
  profile.plateau =
      plateau_of(profile.scales, describe_dimension(neighbours, "GRIDE plateau", kSource));
  return profile;
}

}  // namespace crrm
