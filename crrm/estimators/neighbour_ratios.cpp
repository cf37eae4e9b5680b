#include "crrm/estimators/neighbour_ratios.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace crrm {

namespace {

constexpr int64_t kFewPoints = 100;
constexpr double kManyTies = 0.01;

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

void check_samples(Estimate& estimate, const at::Tensor& log_ratios) {
  const double tied = (log_ratios == 0).to(at::kDouble).mean().item<double>();
  if (tied > kManyTies) {
    estimate.validity = Validity::ties;
    estimate.reason = fmt::format(
        "{:.0f} % of the points have neighbours that are equally far: rounded numbers, or a grid",
        100 * tied);
  } else if (estimate.samples < kFewPoints) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason = fmt::format("{} different points; {} bring the error below 10 %",
                                  estimate.samples, kFewPoints);
  }
}

}  // namespace crrm
