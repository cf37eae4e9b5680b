#include "crrm/estimators/neighbour_ratios.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace crrm {

namespace {

constexpr double kManyTies = 0.01;  // share of the points
constexpr double kApart = 1000;     // a neighbour's distance by that of the one before
constexpr double kLeast = 0.9;      // dimension, of a curve with its bias

}  // namespace

at::Tensor log_ratios(const Neighbours& neighbours, int64_t n1, int64_t n2) {
  return (neighbours.distances.select(1, n2 - 1) / neighbours.distances.select(1, n1 - 1)).log();
}

Estimate describe_dimension(const Neighbours& neighbours, std::string measure, std::string source) {
  return {.measure = std::move(measure),
          .unit = "dimensions",
          .samples = neighbours.points(),
          .assumptions = "independent samples; a density that is constant among nearest neighbours",
          .source = std::move(source),
          .details = {{"duplicates", static_cast<double>(neighbours.duplicates)}}};
}

Estimate refuse_equal_distances(Estimate estimate) {
  return refuse(
      std::move(estimate), Validity::ties,
      "all neighbours of a point are equally far: points on a grid, or of rounded numbers");
}

double overlap_inflation(const Neighbours& neighbours, const at::Tensor& terms, int64_t n2) {
  const int64_t m = neighbours.points();
  const auto window = static_cast<double>(n2 + 1);  // the point itself is one of them
  const at::Tensor near =                           // [m n2], positions in rows
      at::searchsorted(neighbours.rows, neighbours.indices.narrow(1, 0, n2).contiguous()).flatten();
  const at::Tensor centred = terms - terms.mean();
  const at::Tensor sums = centred.index_add(0, near, centred.repeat_interleave(n2));
  const at::Tensor counts =
      at::ones_like(terms).index_add(0, near, at::ones({m * n2}, at::kDouble));
  const double found = sums.square().sum().item<double>() / window;
  const double freedom = static_cast<double>(m) - counts.square().mean().item<double>() / window;
  const double expected = freedom * centred.square().mean().item<double>();
  return expected > 0 ? std::max(1.0, found / expected) : 1;
}

void check_samples(Estimate& estimate, const Neighbours& neighbours, int64_t n1, int64_t n2) {
  const at::Tensor upto = neighbours.distances.narrow(1, 0, n2).log();
  const double tied =
      (upto.select(1, n2 - 1) == upto.select(1, n1 - 1)).to(at::kDouble).mean().item<double>();
  const double apart = ((upto.narrow(1, 1, n2 - 1) - upto.narrow(1, 0, n2 - 1)) > std::log(kApart))
                           .to(at::kDouble)
                           .mean(0)
                           .max()
                           .item<double>();
  const double upper = estimate.interval ? estimate.interval->high : *estimate.value;
  if (tied > kManyTies) {
    estimate.validity = Validity::ties;
    estimate.reason = fmt::format(
        "{:.0f} % of the points have neighbours that are equally far: rounded numbers, or a grid",
        100 * tied);
  } else if (apart > kManyTies) {
    estimate.validity = Validity::ties;
    estimate.reason = fmt::format(
        "{:.0f} % of the points have neighbours {:.0f} times nearer than the next one: nearly "
        "equal "
        "samples, or clusters",
        100 * apart, kApart);
  } else if (upper < kLeast) {
    estimate.validity = Validity::out_of_range;
    estimate.reason = "less than a curve has: clusters, or nearly equal samples";
  } else if (estimate.samples < kFewPoints) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason = fmt::format("{} different points; {} bring the error below 10 %",
                                  estimate.samples, kFewPoints);
  }
}

}  // namespace crrm
