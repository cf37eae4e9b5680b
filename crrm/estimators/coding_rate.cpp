#include "crrm/estimators/coding_rate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/base/error.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr double kSaturated = 0.99;  // of the bound

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

}  // namespace

Estimate coding_rate(const at::Tensor& x, double squared_error) {
  return rate_estimate(unit_rows(x, squared_error), squared_error);
}

CodingRateReduction coding_rate_reduction(const at::Tensor& x, const at::Tensor& labels,
                                          double squared_error) {
  const at::Tensor z = unit_rows(x, squared_error);  // [n, d]
  if (labels.dim() != 1 || labels.size(0) != z.size(0) ||
      !at::isIntegralType(labels.scalar_type(), false))
    throw InputError({.place = "labels",
                      .expected = fmt::format("[{}] integers", z.size(0)),
                      .found = c10::str(labels.scalar_type(), " ", labels.sizes())});
  const auto [classes, label] = at::_unique(labels.to(at::kCPU), /*sorted=*/true, /*inverse=*/true);
  double within = 0;
  for (int64_t j = 0; j < classes.numel(); ++j) {
    const at::Tensor members = z.index_select(0, at::nonzero(label == j).squeeze(1));  // [n_j, d]
    within += static_cast<double>(members.size(0)) / z.size(0) * rate_of(members, squared_error);
  }
  CodingRateReduction result{
      .rate = rate_estimate(z, squared_error),
      .within = blank(z, squared_error, "coding rate within classes", "eq. 8"),
      .reduction = blank(z, squared_error, "coding rate reduction", "eq. 10")};
  result.within.value = within;
  result.reduction.value = *result.rate.value - within;
  result.reduction.validity = result.rate.validity;
  result.reduction.reason = result.rate.reason;
  for (Estimate* estimate : {&result.within, &result.reduction})
    estimate->details.emplace_back("classes", classes.numel());
  return result;
}

}  // namespace crrm
