#include "crrm/estimators/gaussian_information.h"

#include <ATen/ATen.h>
#include <ATen/native/Math.h>
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

double log_det(const at::Tensor& factor) {  // of L L'
  return 2 * factor.diagonal().log().sum().item<double>();
}

// E ln det of p columns' sample covariance is that of the true one and this, less p ln(m/2).
double sum_psi(int64_t p, int64_t m) {
  double sum = 0;
  for (int64_t i = 0; i < p; ++i) sum += calc_digamma(0.5 * static_cast<double>(m - i));
  return sum;
}

// Of the estimate where X, Y are independent: Wilks's determinant is then a product of beta
// variables (Anderson, An Introduction to Multivariate Statistical Analysis, theorem 9.3.2).
double independent_variance(int64_t dx, int64_t dy, int64_t m) {
  double sum = 0;
  for (int64_t i = 0; i < dx; ++i)
    sum += trigamma(0.5 * static_cast<double>(m - dy - i)) -
           trigamma(0.5 * static_cast<double>(m - i));
  return 0.25 * sum;
}

// Mardia's kurtosis in standard deviations from that of a normal distribution, with both moments
// exact for n samples. @param z [n, p] centred, factor [p, p] of their covariance (over n)
double kurtosis_score(const at::Tensor& z, const at::Tensor& factor) {
  const at::Tensor white = at::linalg_solve_triangular(factor, z.t(), /*upper=*/false);
  const double kurtosis = white.square().sum(0).square().mean().item<double>();
  const auto n = static_cast<double>(z.size(0)), p = static_cast<double>(z.size(1));
  const double expected = p * (p + 2) * (n - 1) / (n + 1);
  const double variance = 8 * p * (p + 2) * (n - 3) * (n - p - 1) * (n - p + 1) /
                          ((n + 1) * (n + 1) * (n + 3) * (n + 5));
  return (kurtosis - expected) / std::sqrt(variance);
}

// Centred, of deviation 1; constant columns dropped.
at::Tensor standardised(const at::Tensor& x) {
  const at::Tensor varying = (x.amax(0) > x.amin(0)).nonzero().squeeze(1);
  const at::Tensor columns = x.index_select(1, varying);
  const at::Tensor centred = columns - columns.mean(0);
  return centred / centred.square().mean(0).sqrt();
}

// None where it is singular.
std::optional<at::Tensor> factor_of(const at::Tensor& covariance) {
  const auto [factor, info] = at::linalg_cholesky_ex(covariance);
  constexpr double kSingular = 1e-12;  // of a variance: what the other columns do not explain
  if (info.item<int>() != 0 || factor.diagonal().square().min().item<double>() < kSingular)
    return std::nullopt;
  return factor;
}

// Canonical variables: uncorrelated, of variance 1, each of X correlated with one of Y.
struct Canonical {
  at::Tensor x;             // [dx, n]
  at::Tensor y;             // [dy, n]
  at::Tensor correlations;  // [min(dx, dy)]
};

// @param a [n, dx], b [n, dy] centred, in_x [dx, dx], in_y [dy, dy] of their covariances
Canonical canonical(const at::Tensor& a, const at::Tensor& b, const at::Tensor& in_x,
                    const at::Tensor& in_y) {
  const at::Tensor x = at::linalg_solve_triangular(in_x, a.t(), /*upper=*/false);
  const at::Tensor y = at::linalg_solve_triangular(in_y, b.t(), /*upper=*/false);
  const auto [left, correlations, right] =
      at::linalg_svd(x.mm(y.t()) / static_cast<double>(a.size(0)), /*full_matrices=*/true);
  return {left.t().mm(x), right.mm(y), correlations};
}

// How far the covariance of X with the rest of Y, beyond its regression on X, follows the length of
// X: over pairs of variables, the largest mean of (|x|^2 - dx) x_i e_j, in its own deviations.
// Where the pair is normal e is independent of X and symmetric, so that no mean of K is beyond
// sqrt(2 ln(2 K / p)) but with probability p, for any n (Efron, JASA 64, 1278 (1969)).
double radial_score(const at::Tensor& x, const at::Tensor& y, const at::Tensor& correlations) {
  at::Tensor rest = y.clone();
  const int64_t pairs = correlations.size(0);
  rest.narrow(0, 0, pairs).sub_(correlations.unsqueeze(1) * x.narrow(0, 0, pairs));
  const at::Tensor weighted = x * (x.square().sum(0) - x.size(0));
  const at::Tensor sums = weighted.mm(rest.t());
  const at::Tensor deviations = weighted.square().mm(rest.square().t()).sqrt();
  return (sums / deviations).abs().max().item<double>();
}

}  // namespace

Estimate gaussian_information(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor a = standardised(sample_matrix(x)), b = standardised(sample_matrix(y));
  if (a.size(0) != b.size(0))
    throw InputError({.expected = "as many samples of both",
                      .found = fmt::format("{} and {}", a.size(0), b.size(0))});
  const int64_t n = a.size(0), dx = a.size(1), dy = b.size(1), d = dx + dy, m = n - 1;
  Estimate estimate = {.measure = "mutual information (Gaussian)",
                       .unit = "nats",
                       .samples = n,
                       .assumptions = "X, Y are jointly normal",
                       .source = "Kullback, Information Theory and Statistics (1959), ch. 9"};
  if (dx == 0 || dy == 0) return of_constant(std::move(estimate));
  if (n <= d + 1)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} samples; {} dimensions need {}", n, d, d + 2));
  const at::Tensor z = at::cat({a, b}, 1);
  const at::Tensor covariance = at::mm(z.t(), z) / static_cast<double>(n);
  const std::optional<at::Tensor> joint = factor_of(covariance);
  if (!joint)
    return refuse(std::move(estimate), Validity::out_of_range,
                  "some columns are linear functions of others");
  const double score = kurtosis_score(z, *joint);
  estimate.details.emplace_back("kurtosis_score", score);
  if (std::abs(score) > kNormal995)
    return refuse(
        std::move(estimate), Validity::out_of_range,
        fmt::format("not jointly normal: Mardia's kurtosis is {:.1f} standard deviations off",
                    score));
  const at::Tensor in_x = joint->narrow(0, 0, dx).narrow(1, 0, dx);  // leading block: that of X
  const at::Tensor in_y = at::linalg_cholesky(covariance.narrow(0, dx, dy).narrow(1, dx, dy));
  const Canonical pair = canonical(a, b, in_x, in_y);
  const double radial = std::max(radial_score(pair.x, pair.y, pair.correlations),
                                 radial_score(pair.y, pair.x, pair.correlations));
  estimate.details.emplace_back("radial_score", radial);
  constexpr double kLevel = 0.01;
  if (radial > std::sqrt(2 * std::log(4 * static_cast<double>(dx * dy) / kLevel)))
    return refuse(std::move(estimate), Validity::out_of_range,
                  fmt::format("not jointly normal: how X and Y are correlated depends on their "
                              "lengths, by {:.1f} standard deviations",
                              radial));
  const double bias = 0.5 * (sum_psi(dx, m) + sum_psi(dy, m) - sum_psi(d, m));
  const double value = 0.5 * (log_det(in_x) + log_det(in_y) - log_det(*joint)) - bias;
  const double error =
      std::sqrt(pair.correlations.square().sum().item<double>() / static_cast<double>(n) +
                independent_variance(dx, dy, m));
  estimate.value = value;
  estimate.interval = Interval{value - kNormal975 * error, value + kNormal975 * error};
  estimate.details.insert(estimate.details.end(), {{"bias_removed", bias}, {"error", error}});
  return estimate;
}

}  // namespace crrm
