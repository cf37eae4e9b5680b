#include "crrm/estimators/coding_rate.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr double kSaturated = 0.99;   // of the bound
constexpr int64_t kPermutations = 4;  // of the labels

at::Tensor unit_rows(const at::Tensor& x, double squared_error) {
  if (!(squared_error > 0))
    throw InputError({.place = "squared_error",
                      .expected = "above 0",
                      .found = fmt::format("{}", squared_error)});
  const at::Tensor z = sample_matrix(x);
  const at::Tensor norm = z.norm(2, 1, /*keepdim=*/true);  // [n, 1]
  return z / norm.where(norm > 0, at::ones_like(norm));
}

// 1/2 ln det(I + d / (n eps^2) Z'Z): that of Z Z' is the same, by Sylvester.
double rate_of(const at::Tensor& z, double squared_error) {
  const int64_t n = z.size(0), d = z.size(1);
  const at::Tensor gram = n < d ? z.matmul(z.t()) : z.t().matmul(z);
  const double scale = static_cast<double>(d) / (static_cast<double>(n) * squared_error);
  const at::Tensor factor = at::linalg_cholesky(at::eye(gram.size(0), at::kDouble) + scale * gram);
  return factor.diagonal().log().sum().item<double>();
}

Estimate blank(const at::Tensor& z, double squared_error, std::string measure,
               std::string equation) {
  return {.measure = std::move(measure),
          .unit = "nats",
          .samples = z.size(0),
          .assumptions = "samples of norm 1, coded as Gaussian",
          .source = "Yu et al., NeurIPS 2020, " + std::move(equation),
          .details = {{"dimensions", z.size(1)}, {"squared error", squared_error}}};
}

Estimate rate_estimate(const at::Tensor& z, double squared_error) {
  Estimate estimate = blank(z, squared_error, "coding rate", "eq. 7");
  estimate.value = rate_of(z, squared_error);
  const double n = z.size(0), d = z.size(1), rank = std::min(n, d);
  const double bound = rank / 2 * std::log1p(d / (rank * squared_error));
  estimate.details.emplace_back("bound", bound);
  if (n <= d && *estimate.value > kSaturated * bound) {
    estimate.validity = Validity::saturated;
    estimate.reason = fmt::format("{} samples in {} dimensions are all orthogonal: more are needed",
                                  z.size(0), z.size(1));
  }
  return estimate;
}

// Mean over samples of the rate of their class. @param label [n] in [0, classes)
double rate_within(const at::Tensor& z, const at::Tensor& label, int64_t classes,
                   double squared_error) {
  double within = 0;
  for (int64_t j = 0; j < classes; ++j) {
    const at::Tensor members = z.index_select(0, at::nonzero(label == j).squeeze(1));  // [n_j, d]
    within += static_cast<double>(members.size(0)) / z.size(0) * rate_of(members, squared_error);
  }
  return within;
}

// [kPermutations] rates within classes of permuted labels
at::Tensor permuted_rates(const at::Tensor& z, const at::Tensor& label, int64_t classes,
                          double squared_error, uint64_t seed) {
  std::vector<double> rates;
  for (int64_t i = 0; i < kPermutations; ++i) {
    const at::Tensor order =
        at::randperm(z.size(0), at::detail::createCPUGenerator(mix(seed, i)), at::kLong);
    rates.push_back(rate_within(z, label.index_select(0, order), classes, squared_error));
  }
  return at::tensor(rates, at::kDouble);
}

}  // namespace

Estimate coding_rate(const at::Tensor& x, double squared_error) {
  return rate_estimate(unit_rows(x, squared_error), squared_error);
}

CodingRateReduction coding_rate_reduction(const at::Tensor& x, const at::Tensor& labels,
                                          double squared_error, uint64_t seed) {
  const at::Tensor z = unit_rows(x, squared_error);  // [n, d]
  if (labels.dim() != 1 || labels.size(0) != z.size(0) ||
      !at::isIntegralType(labels.scalar_type(), false))
    throw InputError({.place = "labels",
                      .expected = fmt::format("[{}] integers", z.size(0)),
                      .found = c10::str(labels.scalar_type(), " ", labels.sizes())});
  const auto [values, label] = at::_unique(labels.to(at::kCPU), /*sorted=*/true, /*inverse=*/true);
  const int64_t classes = values.numel(), smallest = at::bincount(label).min().item<int64_t>();
  CodingRateReduction result{
      .rate = rate_estimate(z, squared_error),
      .within = blank(z, squared_error, "coding rate within classes", "eq. 8"),
      .reduction = blank(z, squared_error, "coding rate reduction", "eq. 10"),
      .beyond_chance = blank(z, squared_error, "coding rate reduction beyond permuted labels",
                             "eq. 10, less its mean over permutations of the labels")};
  const double rate = *result.rate.value, within = rate_within(z, label, classes, squared_error);
  const at::Tensor permuted = permuted_rates(z, label, classes, squared_error, seed);
  const double by_chance = rate - permuted.mean().item<double>();
  result.within.value = within;
  result.reduction.value = rate - within;
  result.reduction.details.emplace_back("of permuted labels", by_chance);
  result.beyond_chance.value = rate - within - by_chance;
  result.beyond_chance.details.emplace_back("standard deviation of permuted labels",
                                            permuted.std().item<double>());
  for (Estimate* estimate : {&result.within, &result.reduction, &result.beyond_chance}) {
    estimate->validity = result.rate.validity;
    estimate->reason = result.rate.reason;
    estimate->details.emplace_back("classes", classes);
    estimate->details.emplace_back("samples of the smallest class", smallest);
  }
  if (smallest < z.size(1) && result.rate.validity == Validity::ok)
    for (Estimate* estimate : {&result.within, &result.reduction}) {
      estimate->validity = Validity::too_few_samples;
      estimate->reason =
          fmt::format("{} samples of a class in {} dimensions: permuted labels save {:.4g} nats",
                      smallest, z.size(1), by_chance);
    }
  return result;
}

}  // namespace crrm
