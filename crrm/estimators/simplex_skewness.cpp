#include "crrm/estimators/simplex_skewness.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "crrm/base/normal.h"
#include "crrm/estimators/neighbour_ratios.h"

namespace crrm {

namespace {

constexpr int64_t kFewestNeighbours = 3;
constexpr double kTolerated = 0.1;  // share of the ceiling that a dimension may reach
constexpr size_t kLargestDimension = 1 << 16;

// [n - 1] for n = 1, 2, ..: from the gamma function's recursion, two by two.
const std::vector<double>& expected_skewness() {
  static const std::vector<double> table = [] {
    std::vector<double> mean = {0, 2 / std::numbers::pi, std::numbers::pi / 4};
    for (auto n = 2.0; mean.size() < kLargestDimension; ++n)
      mean.push_back(mean[mean.size() - 2] * n * n / ((n + 1) * (n - 1)));
    return mean;
  }();
  return table;
}

// Directions about the mean of k points have the mean cosine -1 / (k - 1), so that what is read for
// d dimensions is near 1 / (1 / d + 1 / (k - 1)^2).
void check(Estimate& estimate, int64_t points, int64_t features, int64_t k) {
  const auto ceiling = static_cast<double>((k - 1) * (k - 1));
  if (points < kFewPoints) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason = fmt::format("{} different points; {} are needed", points, kFewPoints);
  } else if (*estimate.value > kTolerated * ceiling) {
    estimate.validity = Validity::saturated;
    estimate.reason =
        fmt::format("{} neighbours read no more than {:.0f}, whatever the dimension", k, ceiling);
  } else if (estimate.interval->low > static_cast<double>(features)) {
    estimate.validity = Validity::out_of_range;
    estimate.reason = fmt::format("more than the {} features", features);
  }
}

}  // namespace

double dimension_of_skewness(double skewness) {
  const std::vector<double>& table = expected_skewness();
  const auto above = std::upper_bound(table.begin() + 1, table.end() - 1, skewness);
  return static_cast<double>(above - table.begin()) +
         (skewness - above[-1]) / (above[0] - above[-1]);
}

double simplex_skewness(const at::Tensor& neighbourhood) {
  const at::Tensor centred = neighbourhood - neighbourhood.mean(0);
  const at::Tensor gram = centred.mm(centred.t());  // [k, k]
  const int64_t k = gram.size(0);
  const double* g = gram.const_data_ptr<double>();
  double areas = 0, lengths = 0;
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < i; ++j) {
      const double squares = g[i * k + i] * g[j * k + j], product = g[i * k + j];
      areas += std::sqrt(std::max(0.0, squares - product * product));
      lengths += std::sqrt(squares);
    }
  return areas / lengths;
}

Estimate simplex_skewness_dimension(const at::Tensor& points, const Neighbours& neighbours) {
  Estimate estimate = describe_dimension(
      neighbours, "expected simplex skewness",
      "Johnsson, Soneson, Fontes, IEEE TPAMI 37, 196 (2015), eq. 6 (ESSa, d = 1)");
  estimate.assumptions = "independent samples; neighbourhoods that are flat and fill a ball";
  const int64_t m = neighbours.points(), k = neighbours.k();
  estimate.details.emplace_back("k", k);
  if (k < kFewestNeighbours)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} neighbours a point; {} are needed", k, kFewestNeighbours));
  const at::Tensor local = at::empty({m}, at::kDouble);
  double* dimensions = local.mutable_data_ptr<double>();
  at::parallel_for(0, m, /*grain_size=*/8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      dimensions[i] = dimension_of_skewness(simplex_skewness(
          points.index_select(0, neighbours.indices.select(0, i)).to(at::kDouble)));
  });
  const double mean = local.mean().item<double>();
  const int64_t different = points.size(0) - neighbours.duplicates;
  const double independent =
      std::min(static_cast<double>(m), static_cast<double>(different) / static_cast<double>(k));
  const double error = local.std().item<double>() / std::sqrt(independent);
  estimate.value = mean;
  estimate.interval = {mean - kNormal975 * error, mean + kNormal975 * error};
  estimate.details.emplace_back("standard_error", error);
  check(estimate, different, points.size(1), k);
  return estimate;
}

}  // namespace crrm
