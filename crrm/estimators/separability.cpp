#include "crrm/estimators/separability.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numbers>

#include "crrm/estimators/neighbour_ratios.h"
#include "crrm/estimators/unique_rows.h"

namespace crrm {

namespace {

constexpr double kConditionNumber = 10;  // largest variance by the smallest that is kept
constexpr size_t kThresholds = 20;
// The step rounds as in numpy.arange(0.6, 1, 0.02): that decides which of two equally near ones is
// taken.
constexpr double kFirstThreshold = 0.6, kStep = 0.62 - 0.6, kReference = 0.9;
constexpr int64_t kTile = 1024;

double threshold(size_t index) {
  return kFirstThreshold + kStep * static_cast<double>(index);
}

// Whitened principal components of rows, each row scaled to length 1. [n, d] -> [n, kept] float64
at::Tensor on_sphere(const at::Tensor& points) {
  const at::Tensor centred = points - points.mean(0);
  const bool wide = points.size(1) > points.size(0);
  const at::Tensor gram = wide ? centred.mm(centred.t()) : centred.t().mm(centred);
  const auto [squares, vectors] = at::linalg_eigh(gram);  // ascending
  const at::Tensor kept =
      (squares > squares[-1] / kConditionNumber).nonzero().squeeze(1);  // indices of components
  const at::Tensor axes = vectors.index_select(1, kept);
  // Lengths are scaled to 1 below, so whitening needs no factor sqrt(n - 1).
  const at::Tensor white =
      wide ? axes : centred.mm(axes / squares.index_select(0, kept).sqrt().unsqueeze(0));
  return white / white.norm(2, 1, /*keepdim=*/true);
}

// Pairs with x . y >= threshold(i), for each i. @param unit [n, d] float64
std::array<int64_t, kThresholds> inseparable_pairs(const at::Tensor& unit) {
  std::array<int64_t, kThresholds + 1> reaching = {};  // how many thresholds a pair reaches
  std::mutex mutex;
  const int64_t n = unit.size(0);
  std::array<double, kThresholds> thresholds = {};
  for (size_t i = 0; i < kThresholds; ++i) thresholds[i] = threshold(i);
  for (int64_t row = 0; row < n; row += kTile)
    for (int64_t column = row; column < n; column += kTile) {
      const int64_t rows = std::min(kTile, n - row), columns = std::min(kTile, n - column);
      const at::Tensor products = unit.narrow(0, row, rows).mm(unit.narrow(0, column, columns).t());
      const double* values = products.const_data_ptr<double>();
      at::parallel_for(0, rows, /*grain_size=*/64, [&](int64_t begin, int64_t end) {
        std::array<int64_t, kThresholds + 1> own = {};
        for (int64_t r = begin; r < end; ++r)
          for (int64_t c = row == column ? r + 1 : 0; c < columns; ++c) {
            const double value = values[r * columns + c];
            if (value < kFirstThreshold) continue;
            ++own[static_cast<size_t>(
                std::upper_bound(thresholds.begin(), thresholds.end(), value) -
                thresholds.begin())];
          }
        const std::lock_guard lock(mutex);
        for (size_t i = 0; i <= kThresholds; ++i) reaching[i] += own[i];
      });
    }
  std::array<int64_t, kThresholds> pairs = {};
  int64_t sum = 0;
  for (size_t i = kThresholds; i > 0; --i) pairs[i - 1] = sum += reaching[i];
  return pairs;
}

// Principal branch of Lambert's W for x > 0, by Newton's method on w + ln w = ln x.
double lambert_w(double log_x) {
  double w = log_x > 1 ? log_x - std::log(log_x) : std::exp(log_x) / (1 + std::exp(log_x));
  for (int i = 0; i < 50; ++i) {
    const double next = w * (1 + log_x - std::log(w)) / (1 + w);
    if (std::abs(next - w) <= 1e-15 * next) return next;
    w = next;
  }
  return w;
}

}  // namespace

double dimension_of_separability(double inseparable, double threshold) {
  const double a2 = threshold * threshold, rate = -std::log1p(-a2);
  return lambert_w(std::log(rate / (2 * std::numbers::pi * a2 * (1 - a2))) -
                   2 * std::log(inseparable)) /
         rate;
}

Estimate separability_dimension(const at::Tensor& points) {
  at::Tensor table = points.detach().to(at::kDouble).contiguous();
  const at::Tensor rows = unique_rows(table).first;
  const int64_t n = rows.size(0), duplicates = table.size(0) - n;
  Estimate estimate = {.measure = "FisherS",
                       .unit = "dimensions",
                       .samples = n,
                       .assumptions = "independent samples; whitened, they fill a sphere evenly",
                       .source = "Albergante et al., IJCNN 2019, eqs. 5 and 6",
                       .details = {{"duplicates", static_cast<double>(duplicates)}}};
  if (n < 3)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} different points; 3 are needed", n));
  if (duplicates > 0) table = table.index_select(0, rows);
  const at::Tensor unit = on_sphere(table);
  const std::array<int64_t, kThresholds> pairs = inseparable_pairs(unit);
  const auto reached = static_cast<size_t>(
      std::count_if(pairs.begin(), pairs.end(), [](int64_t count) { return count > 0; }));
  if (reached == 0)
    return refuse(
        std::move(estimate), Validity::too_few_samples,
        fmt::format("no two of {} points have a cosine of {} or more: the dimension is too "
                    "high for so few",
                    n, kFirstThreshold));
  // The threshold nearest to the reference.
  size_t chosen = 0;
  const double reference = kReference * threshold(reached - 1);
  for (size_t i = 1; i < reached; ++i)
    if (std::abs(threshold(i) - reference) < std::abs(threshold(chosen) - reference)) chosen = i;
  const double all = static_cast<double>(n) * static_cast<double>(n - 1) / 2;
  estimate.value =
      dimension_of_separability(static_cast<double>(pairs[chosen]) / all, threshold(chosen));
  estimate.details.insert(estimate.details.end(),
                          {{"threshold", threshold(chosen)},
                           {"components", static_cast<double>(unit.size(1))},
                           {"pairs", static_cast<double>(pairs[chosen])}});
  if (n < kFewPoints) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason = fmt::format("{} different points; {} are needed", n, kFewPoints);
  }
  return estimate;
}

}  // namespace crrm
