#include "crrm/train/divergence.h"

#include <ATen/CPUGeneratorImpl.h>

namespace crrm {

at::Tensor divergence(const at::Tensor& target, const at::Tensor& own, int64_t axis) {
  return (target.exp() * (target - own)).sum(axis).mean();
}

at::Tensor sampled_log_likelihood(const at::Tensor& log_p, int64_t axis, uint64_t seed) {
  const at::Tensor rows = log_p.movedim(axis, -1).flatten(0, -2);  // [R, K]
  const at::Tensor drawn = at::multinomial(rows.detach().exp().cpu(), 1, /*replacement=*/true,
                                           at::detail::createCPUGenerator(seed));
  return rows.gather(1, drawn.to(rows.device())).sum();
}

at::Tensor normal_projection(const at::Tensor& y, uint64_t seed) {
  const at::Tensor normal =
      at::randn(y.sizes(), at::detail::createCPUGenerator(seed), y.options().device(at::kCPU));
  return (y * normal.to(y.device())).sum();
}

}  // namespace crrm
