#include "crrm/estimators/sample_matrix.h"

#include <ATen/ATen.h>

#include "crrm/base/error.h"

namespace crrm {

void check_matrix(const at::Tensor& x) {
  if (x.dim() != 2 || x.numel() == 0)
    throw InputError(
        {.expected = "[samples, dimensions], not empty", .found = c10::str(x.sizes())});
}

at::Tensor sample_matrix(const at::Tensor& x) {
  check_matrix(x);
  const at::Tensor matrix = x.detach().to(at::kCPU, at::kDouble);
  if (!at::isfinite(matrix).all().item<bool>())
    throw InputError({.expected = "finite values", .found = "inf or nan"});
  return matrix;
}

}  // namespace crrm
