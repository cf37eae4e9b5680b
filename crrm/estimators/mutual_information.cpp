#include "crrm/estimators/mutual_information.h"

#include <ATen/ATen.h>
#include <ATen/native/Math.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "crrm/base/error.h"
#include "crrm/estimators/halving.h"
#include "crrm/estimators/max_norm_balls.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

double psi(int64_t count) {
  return calc_digamma(static_cast<double>(count));
}

double mean_psi(const std::vector<int64_t>& counts, int64_t more) {
  double sum = 0;
  for (const int64_t count : counts) sum += psi(count + more);
  return sum / static_cast<double>(counts.size());
}

// Columns that vary, each mapped to the normal quantiles of its ranks: information does not change,
// and heavy tails or skew no longer decide which neighbours are near. Equal values stay equal.
at::Tensor normal_scores(const at::Tensor& x) {
  const at::Tensor varying = (x.amax(0) > x.amin(0)).nonzero().squeeze(1);
  const at::Tensor columns = x.index_select(1, varying).t().contiguous();  // [d, n]
  const at::Tensor sorted = std::get<0>(columns.sort(1));
  const at::Tensor below = at::searchsorted(sorted, columns);
  const at::Tensor up_to = at::searchsorted(sorted, columns, /*out_int32=*/false, /*right=*/true);
  const at::Tensor ranks = (below + up_to).to(at::kDouble) / static_cast<double>(2 * x.size(0));
  return at::special_ndtri(ranks).t().contiguous();  // [n, d]
}

// The largest share of a column's values that repeat others.
double tied_share(const at::Tensor& x) {
  const at::Tensor sorted = std::get<0>(x.sort(0));
  const at::Tensor repeats = sorted.slice(0, 1).eq(sorted.slice(0, 0, -1)).sum(0);
  return repeats.max().item<double>() / static_cast<double>(x.size(0));
}

// The number for some rows, and the dimension that it was taken at.
struct Reading {
  double value = 0, dimension = 0;
};

// At the general rate, unless the levels reject it for that of smooth densities.
Halving remaining_bias(const HalvedEstimates& levels, double dimension) {
  constexpr double kChiSquare = 6.635;  // 99 % quantile at one degree of freedom
  const Halving general = extrapolate(levels, 1 / dimension);
  const Halving smooth = extrapolate(levels, 2 / dimension);
  return general.misfit - smooth.misfit > kChiSquare ? smooth : general;
}

// Value and interval of `read`, or the refusal that they call for.
Estimate judged(Estimate estimate, const NeighbourOptions& options,
                const std::function<Reading(const at::Tensor& rows)>& read) {
  const int64_t n = estimate.samples;
  const int64_t needed = (int64_t{2} << kHalvings) * (options.k + 1);
  if (n < needed)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} samples; {} neighbours in a sixteenth of them need {}", n,
                              options.k, needed));
  double dimension = 0;  // that of all samples, which come first
  const HalvedEstimates levels = halved(n, options.seed, [&](const at::Tensor& rows) {
    const Reading reading = read(rows);
    if (rows.size(0) == n) dimension = reading.dimension;
    return reading.value;
  });
  // Discrete values have no balls and no such bias: D is at least 1.
  const Halving halving = remaining_bias(levels, std::max(dimension, 1.0));
  estimate.details.emplace_back("dimension", dimension);
  estimate.value = halving.value;
  estimate.interval = halving.interval();
  estimate.details.insert(
      estimate.details.end(),
      {{"bias", halving.bias}, {"largest_bias", halving.largest_bias()}, {"error", halving.error}});
  const double ceiling = std::log(static_cast<double>(n)) - 2;
  if (halving.value > ceiling)
    return refuse(
        std::move(estimate), Validity::saturated,
        fmt::format("{:.2f} nats; {} samples can show {:.2f}", halving.value, n, ceiling));
  if (halving.largest_bias() > std::max(kAccuracy, kRelativeAccuracy * halving.value))
    return refuse(
        std::move(estimate), Validity::out_of_range,
        fmt::format("{:.3f} nats may be off by {:.3f} at dimension {:.1f}; more samples or "
                    "fewer dimensions would do",
                    halving.value, halving.largest_bias(), dimension));
  return estimate;
}

Estimate described(std::string measure, int64_t n, const NeighbourOptions& options,
                   std::string assumptions, std::string source) {
  if (options.k < 2)
    throw InputError({.expected = "k >= 2 neighbours", .found = std::to_string(options.k)});
  return {.measure = std::move(measure),
          .unit = "nats",
          .samples = n,
          .assumptions = std::move(assumptions),
          .source = std::move(source),
          .details = {{"k", static_cast<double>(options.k)}}};
}

void check_rows(const at::Tensor& x, int64_t n) {
  if (x.size(0) != n)
    throw InputError({.expected = fmt::format("{} samples in both", x.size(0)),
                      .found = fmt::format("{} and {}", x.size(0), n)});
}

Estimate constant(Estimate estimate) {
  estimate.value = 0;
  estimate.interval = Interval{0, 0};
  estimate.assumptions = "one of the variables is constant";
  return estimate;
}

}  // namespace

Estimate ksg(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options) {
  const at::Tensor a = normal_scores(sample_matrix(x)), b = normal_scores(sample_matrix(y));
  check_rows(a, b.size(0));
  Estimate estimate =
      described("mutual information (KSG-1)", a.size(0), options, "X, Y have a joint density",
                "Kraskov, Stoegbauer & Grassberger, Phys. Rev. E 69, 066138 (2004), eq. 8");
  if (a.size(1) == 0 || b.size(1) == 0) return constant(std::move(estimate));
  const double tied = std::max(tied_share(a), tied_share(b));
  if (tied > kTiedShare) {
    estimate.details.emplace_back("tied_share", tied);
    return refuse(
        std::move(estimate), Validity::ties,
        fmt::format("{:.1f} % of a column's values repeat; mixed_knn allows for that", 100 * tied));
  }
  return judged(std::move(estimate), options, [&](const at::Tensor& rows) {
    const BallCounts counts =
        count_in_balls(a.index_select(0, rows), b.index_select(0, rows), options.k, Boundary::open);
    return Reading{
        psi(options.k) + psi(rows.size(0)) - mean_psi(counts.x, 1) - mean_psi(counts.y, 1),
        counts.dimension};
  });
}

Estimate mixed_knn(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options) {
  const at::Tensor a = normal_scores(sample_matrix(x)), b = normal_scores(sample_matrix(y));
  check_rows(a, b.size(0));
  Estimate estimate = described("mutual information (mixed neighbours)", a.size(0), options,
                                "X, Y are continuous, discrete or mixtures of both",
                                "Gao, Kannan, Oh & Viswanath, NeurIPS 2017, algorithm 1");
  if (a.size(1) == 0 || b.size(1) == 0) return constant(std::move(estimate));
  return judged(std::move(estimate), options, [&](const at::Tensor& rows) {
    const BallCounts counts =
        count_in_balls(a.index_select(0, rows), b.index_select(0, rows), options.k, Boundary::tied);
    return Reading{mean_psi(counts.joint, 0) + psi(rows.size(0)) - mean_psi(counts.x, 0) -
                       mean_psi(counts.y, 0),
                   counts.dimension};
  });
}

Estimate ross(const at::Tensor& t, const at::Tensor& labels, const NeighbourOptions& options) {
  const at::Tensor a = normal_scores(sample_matrix(t));
  check_rows(a, labels.numel());
  const at::Tensor classes = labels.reshape({-1}).to(at::kCPU, at::kLong);
  Estimate estimate =
      described("I(T;Y) (nearest neighbours)", a.size(0), options,
                "T has a density given each label", "Ross, PLoS ONE 9, e87357 (2014), eq. 2");
  if (a.size(1) == 0) return constant(std::move(estimate));
  return judged(std::move(estimate), options, [&](const at::Tensor& rows) {
    const BallCounts counts =
        count_in_label_balls(a.index_select(0, rows), classes.index_select(0, rows), options.k);
    double sum = 0, seen = 0;
    for (size_t i = 0; i < counts.x.size(); ++i)
      if (counts.joint[i] > 0) {
        sum += psi(counts.joint[i]) - psi(counts.y[i]) - psi(counts.x[i]);
        ++seen;
      }
    return Reading{seen > 0 ? psi(static_cast<int64_t>(seen)) + sum / seen : 0, counts.dimension};
  });
}

}  // namespace crrm
