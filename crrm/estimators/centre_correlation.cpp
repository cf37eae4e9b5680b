#include "crrm/estimators/centre_correlation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <tuple>

namespace crrm {

namespace {

constexpr double kFall = 1e-6;  // of the correlation, below which it is rounding

double mean_absolute_cosine(const at::Tensor& gram) {                             // [P, P]
  const at::Tensor norm = gram.diagonal().clamp_min(0).sqrt();                    // [P]
  const at::Tensor cosine = gram / (norm.unsqueeze(1) * norm).clamp_min(1e-300);  // [P, P]
  const double pairs = static_cast<double>(gram.size(0) * (gram.size(0) - 1));
  return (cosine.abs().sum() - cosine.diagonal().abs().sum()).item<double>() / pairs;
}

}  // namespace

double centre_correlation(const at::Tensor& centres) {
  return mean_absolute_cosine(centres.matmul(centres.t()));
}

at::Tensor shared_centre_directions(const at::Tensor& centres) {
  const at::Tensor unit = centres / centres.norm(2, 1, /*keepdim=*/true);  // [P, N]
  const auto [u, s, axes] = at::linalg_svd(unit, /*full_matrices=*/false);
  at::Tensor residual = unit.matmul(unit.t());  // [P, P]
  double least = mean_absolute_cosine(residual);
  int64_t best = 0;
  const int64_t most = std::min({unit.size(0) / 2, unit.size(0) - 2, s.size(0)});
  for (int64_t k = 0; k < most; ++k) {
    const at::Tensor along = u.select(1, k) * s[k];  // [P]
    residual = residual - along.outer(along);
    const double correlation = mean_absolute_cosine(residual);
    if (correlation >= (1 - kFall) * least) continue;
    least = correlation;
    best = k + 1;
  }
  return axes.narrow(0, 0, best);
}

}  // namespace crrm
