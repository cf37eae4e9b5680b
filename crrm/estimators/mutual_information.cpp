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

at::Tensor varying_columns(const at::Tensor& x) {
  return x.index_select(1, (x.amax(0) > x.amin(0)).nonzero().squeeze(1));
}

at::Tensor standardised(const at::Tensor& x) {
  return (x - x.mean(0)) / x.std(0, /*unbiased=*/false);
}

// Normal quantiles of each column's ranks; equal values stay equal.
at::Tensor normal_scores(const at::Tensor& x) {
  const at::Tensor columns = x.t().contiguous();  // [d, n]
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

using Read = std::function<Reading(const at::Tensor& x, const at::Tensor& y)>;
using Map = at::Tensor (*)(const at::Tensor& columns);

struct Samples {
  at::Tensor x, y;  // [n, dx], [n, dy] without constant columns; or y [n] int64, labels

  Samples mapped(Map map) const { return {map(x), y.is_floating_point() ? map(y) : y}; }
  Samples rows(const at::Tensor& index) const {
    return {x.index_select(0, index), y.index_select(0, index)};
  }
};

// The larger bias of the general rate and that of smooth densities.
Halving remaining_bias(const HalvedEstimates& levels, double dimension) {
  const Halving general = extrapolate(levels, 1 / dimension);
  const Halving smooth = extrapolate(levels, 2 / dimension);
  return smooth.largest_bias() > general.largest_bias() ? smooth : general;
}

// Every truth that a bias leaves possible is near, and so large a bias would have been seen.
bool is_accurate(const Halving& halving, double map_effect) {
  const double bias = std::max(halving.largest_bias(), map_effect);
  const double accuracy = std::max(kAccuracy, kRelativeAccuracy * (halving.value - bias));
  return std::max(bias, halving.resolution()) <= accuracy;
}

// Value and interval, or the refusal that they call for.
Estimate judged(Estimate estimate, const NeighbourOptions& options, const Samples& samples,
                const Read& read) {
  const int64_t n = estimate.samples;
  const int64_t needed = (int64_t{2} << kHalvings) * (options.k + 1);
  if (n < needed)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} samples; {} neighbours in a sixteenth of them need {}", n,
                              options.k, needed));
  const Samples scaled = samples.mapped(standardised), scores = samples.mapped(normal_scores);
  double dimension = 0;  // that of all samples, which come first
  const HalvedEstimates levels = halved(n, options.seed, [&](const at::Tensor& rows) {
    const Samples part = scaled.rows(rows);
    const Reading reading = read(part.x, part.y);
    if (rows.size(0) == n) dimension = reading.dimension;
    return reading.value;
  });
  // Discrete values have no balls and no such bias: D is at least 1.
  const Halving halving = remaining_bias(levels, std::max(dimension, 1.0));
  const double of_scores = read(scores.x, scores.y).value;
  const double map_effect = std::abs(of_scores - halving.value);
  estimate.value = halving.value;
  estimate.interval = Interval{std::min(halving.interval().low, of_scores),
                               std::max(halving.interval().high, of_scores)};
  estimate.details.insert(estimate.details.end(), {{"dimension", dimension},
                                                   {"raw", halving.value},
                                                   {"of_normal_scores", of_scores},
                                                   {"error", halving.error},
                                                   {"bias", halving.bias},
                                                   {"largest_bias", halving.largest_bias()},
                                                   {"resolution", halving.resolution()}});
  const double ceiling = std::log(static_cast<double>(n)) - 2;
  if (halving.value > ceiling)
    return refuse(
        std::move(estimate), Validity::saturated,
        fmt::format("{:.2f} nats; {} samples can show {:.2f}", halving.value, n, ceiling));
  if (!is_accurate(halving, map_effect))
    return refuse(
        std::move(estimate), Validity::out_of_range,
        fmt::format("{:.3f} nats may be off by {:.3f} at dimension {:.1f}; more samples or "
                    "fewer dimensions would do",
                    halving.value,
                    std::max({halving.largest_bias(), halving.resolution(), map_effect}),
                    dimension));
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

// Samples whose label no other has. @param labels  [n] int64
int64_t count_alone(const at::Tensor& labels) {
  const auto [values, inverse, counts] = at::_unique2(labels, /*sorted=*/true,
                                                      /*return_inverse=*/false,
                                                      /*return_counts=*/true);
  return (counts == 1).sum().item<int64_t>();
}

}  // namespace

Estimate ksg(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options) {
  const Samples samples{varying_columns(sample_matrix(x)), varying_columns(sample_matrix(y))};
  check_rows(samples.x, samples.y.size(0));
  Estimate estimate = described(
      "mutual information (KSG-1)", samples.x.size(0), options, "X, Y have a joint density",
      "Kraskov, Stoegbauer & Grassberger, Phys. Rev. E 69, 066138 (2004), eq. 8");
  if (samples.x.size(1) == 0 || samples.y.size(1) == 0) return of_constant(std::move(estimate));
  const double tied = std::max(tied_share(samples.x), tied_share(samples.y));
  if (tied > kTiedShare) {
    estimate.details.emplace_back("tied_share", tied);
    return refuse(
        std::move(estimate), Validity::ties,
        fmt::format("{:.1f} % of a column's values repeat; mixed_knn allows for that", 100 * tied));
  }
  return judged(
      std::move(estimate), options, samples, [&](const at::Tensor& a, const at::Tensor& b) {
        const BallCounts counts = count_in_balls(a, b, options.k, Boundary::open);
        return Reading{
            psi(options.k) + psi(a.size(0)) - mean_psi(counts.x, 1) - mean_psi(counts.y, 1),
            counts.dimension};
      });
}

Estimate mixed_knn(const at::Tensor& x, const at::Tensor& y, const NeighbourOptions& options) {
  const Samples samples{varying_columns(sample_matrix(x)), varying_columns(sample_matrix(y))};
  check_rows(samples.x, samples.y.size(0));
  Estimate estimate = described("mutual information (mixed neighbours)", samples.x.size(0), options,
                                "X, Y are continuous, discrete or mixtures of both",
                                "Gao, Kannan, Oh & Viswanath, NeurIPS 2017, algorithm 1");
  if (samples.x.size(1) == 0 || samples.y.size(1) == 0) return of_constant(std::move(estimate));
  return judged(std::move(estimate), options, samples,
                [&](const at::Tensor& a, const at::Tensor& b) {
                  const BallCounts counts = count_in_balls(a, b, options.k, Boundary::tied);
                  return Reading{mean_psi(counts.joint, 0) + psi(a.size(0)) -
                                     mean_psi(counts.x, 0) - mean_psi(counts.y, 0),
                                 counts.dimension};
                });
}

Estimate ross(const at::Tensor& t, const at::Tensor& labels, const NeighbourOptions& options) {
  const Samples samples{varying_columns(sample_matrix(t)),
                        labels.reshape({-1}).to(at::kCPU, at::kLong)};
  check_rows(samples.x, labels.numel());
  Estimate estimate =
      described("I(T;Y) (nearest neighbours)", samples.x.size(0), options,
                "T has a density given each label", "Ross, PLoS ONE 9, e87357 (2014), eq. 2");
  const int64_t n = estimate.samples, alone = count_alone(samples.y);
  if (2 * alone > n)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} of {} samples are alone with their label", alone, n));
  if (samples.x.size(1) == 0) return of_constant(std::move(estimate));
  return judged(std::move(estimate), options, samples,
                [&](const at::Tensor& a, const at::Tensor& b) {
                  const BallCounts counts = count_in_label_balls(a, b, options.k);
                  double sum = 0, seen = 0;
                  for (size_t i = 0; i < counts.x.size(); ++i)
                    if (counts.joint[i] > 0) {
                      sum += psi(counts.joint[i]) - psi(counts.y[i]) - psi(counts.x[i]);
                      ++seen;
                    }
                  return Reading{seen > 0 ? psi(static_cast<int64_t>(seen)) + sum / seen : 0,
                                 counts.dimension};
                });
}

}  // namespace crrm
