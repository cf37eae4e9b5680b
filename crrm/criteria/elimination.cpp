#include "crrm/criteria/elimination.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace crrm {

at::Tensor elimination_costs(const at::Tensor& information, double ridge) {
  const int64_t n = information.size(0);
  const at::Tensor costs = at::zeros({n}, at::kDouble);
  const at::Tensor regular = information + ridge * at::eye(n, at::kDouble);
  const at::Tensor inverse = at::cholesky_inverse(at::linalg_cholesky(regular)).contiguous();
  double* v = inverse.data_ptr<double>();
  std::vector<int64_t> left(static_cast<size_t>(n));
  std::iota(left.begin(), left.end(), int64_t{0});
  while (!left.empty()) {
    const auto next = std::max_element(left.begin(), left.end(), [&](int64_t a, int64_t b) {
      return v[a * n + a] < v[b * n + b];
    });
    const int64_t c = *next;
    left.erase(next);
    const double* row = v + c * n;
    costs.data_ptr<double>()[c] = std::max(0.0, 1 / row[c] - ridge);
    for (const int64_t r : left) {  // the inverse without c, of the rows that are left
      double* other = v + r * n;
      const double factor = other[c] / row[c];
      for (int64_t k = 0; k < n; ++k) other[k] -= factor * row[k];
    }
  }
  return costs;
}

}  // namespace crrm
