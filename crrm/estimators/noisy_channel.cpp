#include "crrm/estimators/noisy_channel.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr double kNormal = 1.959963984540054;  // 97.5 % quantile
constexpr int64_t kBlock = 256;                // rows whose distances to all samples are held

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

// -<ln <exp(-|h_i - h_j|^2 / c)>_j>_i
double kolchinsky_tracey(const at::Tensor& h, double c) {
  double sum = 0;
  for (const at::Tensor& rows : h.split(kBlock))
    sum += at::logsumexp(squared_distances(rows, h).div_(-c), 1).sum().item<double>();
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

// Calls `use` with the noise [rows, d] of a block of samples and the log-densities of what is seen
// under every sample, without their common constant [rows, n].
void visit_draws(const at::Tensor& h, const NoiseDraws& draws,
                 const std::function<void(int64_t first, const at::Tensor& noise,
                                          const at::Tensor& log_densities)>& use) {
  for (int64_t draw = 0; draw < draws.per_sample; ++draw) {
    const at::Generator generator =
        at::detail::createCPUGenerator(mix(draws.seed, static_cast<uint64_t>(draw)));
    for (int64_t first = 0; first < h.size(0); first += kBlock) {
      const at::Tensor rows = h.narrow(0, first, std::min(kBlock, h.size(0) - first));
      const at::Tensor noise = at::randn(rows.sizes(), generator, rows.options());
      use(first, noise, squared_distances(rows + noise, h).mul_(-0.5));
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
      Interval{mean.value - kNormal * mean.error, mean.value + kNormal * mean.error};
}

void check_saturation(Estimate& estimate, double information, double ceiling) {
  if (!(information > kSaturatedShare * ceiling)) return;
  estimate.validity = Validity::saturated;
  estimate.reason = fmt::format("{:.3f} of {:.3f} nats, which the number of samples allows",
                                information, ceiling);
}

}  // namespace

NoisyChannel noisy_channel(const at::Tensor& h, double variance, const NoiseDraws& draws) {
  const at::Tensor samples = in_deviations(h, variance);
  const int64_t n = samples.size(0);
  const double ceiling = std::log(static_cast<double>(n));
  const std::string bounds = "Kolchinsky & Tracey, Entropy 19, 361 (2017), ";
  NoisyChannel channel = {
      .lower = described("I(X;T), lower bound", n, variance, bounds + "eq. 10, Bhattacharyya"),
      .estimate = described("I(X;T)", n, variance, "Goldfeld et al., ICML 2019, section 3"),
      .upper = described("I(X;T), upper bound", n, variance, bounds + "eq. 11, Kullback-Leibler")};
  channel.lower.value = kolchinsky_tracey(samples, 8);
  channel.upper.value = kolchinsky_tracey(samples, 2);
  std::vector<at::Tensor> information;
  visit_draws(samples, draws,
              [&](int64_t, const at::Tensor& noise, const at::Tensor& log_densities) {
                information.push_back(ceiling - 0.5 * noise.square().sum(1) -
                                      at::logsumexp(log_densities, 1));
              });
  set(channel.estimate, Mean(at::cat(information)));
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
  std::vector<at::Tensor> of_label, of_sample, ceilings;
  visit_draws(
      samples, draws, [&](int64_t first, const at::Tensor& noise, const at::Tensor& log_densities) {
        const at::Tensor own = label.narrow(0, first, noise.size(0));
        const at::Tensor other = own.unsqueeze(1).ne(label);  // [rows, n]
        const at::Tensor log_size = other.logical_not().sum(1).to(at::kDouble).log();
        const at::Tensor given =
            at::logsumexp(
                log_densities.masked_fill(other, -std::numeric_limits<double>::infinity()), 1) -
            log_size;
        const at::Tensor all = at::logsumexp(log_densities, 1) - std::log(static_cast<double>(n));
        of_label.push_back(given - all);
        of_sample.push_back(-0.5 * noise.square().sum(1) - given);
        ceilings.push_back(log_size);
      });
  set(estimate, Mean(at::cat(of_label)));
  check_saturation(estimate, Mean(at::cat(of_sample)).value, Mean(at::cat(ceilings)).value);
  return estimate;
}

}  // namespace crrm
