#include "crrm/estimators/noisy_channel.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/base/random.h"
#include "crrm/estimators/binned_entropy.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr int64_t kBlock = 256;  // rows whose distances to all samples are held

// h over the noise's deviation, centred, which keeps the products of matrices exact enough.
at::Tensor in_deviations(const at::Tensor& h, double variance) {
  if (!(variance > 0) || !std::isfinite(variance))
    throw InputError(
        {.expected = "noise of positive variance", .found = fmt::format("{}", variance)});
  const at::Tensor samples = sample_matrix(h);
  return (samples - samples.mean(0)) / std::sqrt(variance);
}

at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor squares = a.square().sum(1, /*keepdim=*/true) + b.square().sum(1);
  return at::addmm(squares, a, b.t(), 1, -2).clamp_min_(0);  // [rows of a, rows of b]
}

// Products of matrices lose |h|^2 epsilon of a squared distance, which must be little against 1.
bool resolves_noise(const at::Tensor& h) {
  constexpr double kMostRounding = 0.1;
  const double largest = h.square().sum(1).max().item<double>();
  return largest * std::numeric_limits<double>::epsilon() < kMostRounding;  // nor is it infinite
}

constexpr char kTooLittleNoise[] =
    "the noise is so little against the layer that float64 cannot tell distances as small: all "
    "samples that differ would be told apart";

// -<ln <exp(-|h_i - h_j|^2 / c)>_j>_i
double kolchinsky_tracey(const at::Tensor& h, double c) {
  double sum = 0;
  for (int64_t first = 0; first < h.size(0); first += kBlock) {
    const at::Tensor rows = h.narrow(0, first, std::min(kBlock, h.size(0) - first));
    at::Tensor distances = squared_distances(rows, h);
    distances.diagonal(first).zero_();  // a sample's own, without rounding
    sum += at::logsumexp(distances.div_(-c), 1).sum().item<double>();
  }
  const auto n = static_cast<double>(h.size(0));
  return std::log(n) - sum / n;
}

struct Mean {
  double value = 0, error = 0;

  explicit Mean(const at::Tensor& values)
      : value(values.mean().item<double>()),
        error(values.numel() > 1
                  ? values.std().item<double>() / std::sqrt(static_cast<double>(values.numel()))
                  : 0) {}
};

// Calls `use` with log-densities of what is seen of a block of samples, without their common
// constant: under the samples themselves [rows] and under every sample [rows, n].
void visit_draws(
    const at::Tensor& h, const NoiseDraws& draws,
    const std::function<void(int64_t first, const at::Tensor& own, const at::Tensor& all)>& use) {
  for (int64_t draw = 0; draw < draws.per_sample; ++draw) {
    const at::Generator generator =
        at::detail::createCPUGenerator(mix(draws.seed, static_cast<uint64_t>(draw)));
    for (int64_t first = 0; first < h.size(0); first += kBlock) {
      const at::Tensor rows = h.narrow(0, first, std::min(kBlock, h.size(0) - first));
      const at::Tensor noise = at::randn(rows.sizes(), generator, rows.options());
      const at::Tensor own = noise.square().sum(1).mul_(-0.5);
      at::Tensor all = squared_distances(rows + noise, h).mul_(-0.5);
      all.diagonal(first).copy_(own);  // without rounding
      use(first, own, all);
    }
  }
}

Estimate described(std::string measure, int64_t n, double variance, std::string source) {
  return {.measure = std::move(measure),
          .unit = "nats",
          .samples = n,
          .assumptions = "X takes the n samples with equal probability",
          .source = std::move(source),
          .details = {{"variance", variance}, {"ln_n", std::log(static_cast<double>(n))}}};
}

void set(Estimate& estimate, const Mean& mean) {
  estimate.value = mean.value;
  estimate.interval =
      Interval{mean.value - kNormal975 * mean.error, mean.value + kNormal975 * mean.error};
}

void check_saturation(Estimate& estimate, double information, double ceiling) {
  if (ceiling <= 0 || !(information > kSaturatedShare * ceiling)) return;
  estimate.validity = Validity::saturated;
  estimate.reason = fmt::format("{:.3f} of {:.3f} nats, which the samples that differ allow",
                                information, ceiling);
}

}  // namespace

NoisyChannel noisy_channel(const at::Tensor& h, double variance, const NoiseDraws& draws) {
  const at::Tensor samples = in_deviations(h, variance);
  const int64_t n = samples.size(0);
  const double ln_n = std::log(static_cast<double>(n));
  const std::string bounds = "Kolchinsky & Tracey, Entropy 19, 361 (2017), ";
  NoisyChannel channel = {
      .lower = described("I(X;T), lower bound", n, variance, bounds + "eq. 10, Bhattacharyya"),
      .estimate = described("I(X;T)", n, variance, "Goldfeld et al., ICML 2019, section 3"),
      .upper = described("I(X;T), upper bound", n, variance, bounds + "eq. 11, Kullback-Leibler")};
  if (!resolves_noise(samples)) {
    for (Estimate* estimate : {&channel.lower, &channel.estimate, &channel.upper})
      *estimate = refuse(std::move(*estimate), Validity::out_of_range, kTooLittleNoise);
    return channel;
  }
  const double lower = kolchinsky_tracey(samples, 8), upper = kolchinsky_tracey(samples, 2);
  channel.lower.value = lower;
  channel.upper.value = upper;
  std::vector<at::Tensor> information;
  visit_draws(samples, draws, [&](int64_t, const at::Tensor& own, const at::Tensor& all) {
    information.push_back(ln_n + own - at::logsumexp(all, 1));
  });
  const Mean mean(at::cat(information));
  set(channel.estimate, mean);
  // The truth is between the bounds, whatever the draws.
  Interval& interval = *channel.estimate.interval;
  for (double* number : {&*channel.estimate.value, &interval.low, &interval.high})
    *number = std::clamp(*number, lower, upper);
  channel.estimate.details.emplace_back("error", mean.error);
  const double ceiling = *entropy_of_rows(samples).value;
  for (Estimate* estimate : {&channel.lower, &channel.estimate, &channel.upper})
    check_saturation(*estimate, *estimate->value, ceiling);
  return channel;
}

Estimate noisy_label_information(const at::Tensor& h, const at::Tensor& labels, double variance,
                                 const NoiseDraws& draws) {
  const at::Tensor samples = in_deviations(h, variance);
  const at::Tensor label = labels.reshape({-1}).to(at::kCPU, at::kLong);
  const int64_t n = samples.size(0);
  if (label.numel() != n)
    throw InputError(
        {.expected = fmt::format("{} labels", n), .found = std::to_string(label.numel())});
  Estimate estimate = described("I(T;Y)", n, variance, "Goldfeld et al., ICML 2019, section 3");
  if (!resolves_noise(samples))
    return refuse(std::move(estimate), Validity::out_of_range, kTooLittleNoise);
  std::vector<at::Tensor> of_label, of_sample, ceilings;
  visit_draws(samples, draws, [&](int64_t first, const at::Tensor& own, const at::Tensor& all) {
    const at::Tensor other =  // [rows, n]
        label.narrow(0, first, own.size(0)).unsqueeze(1).ne(label);
    const at::Tensor log_size = other.logical_not().sum(1).to(at::kDouble).log();
    const at::Tensor given =
        at::logsumexp(all.masked_fill(other, -std::numeric_limits<double>::infinity()), 1) -
        log_size;
    of_label.push_back(given - at::logsumexp(all, 1) + std::log(static_cast<double>(n)));
    of_sample.push_back(own - given);
    ceilings.push_back(log_size);
  });
  set(estimate, Mean(at::cat(of_label)));
  check_saturation(estimate, Mean(at::cat(of_sample)).value, Mean(at::cat(ceilings)).value);
  return estimate;
}

}  // namespace crrm
