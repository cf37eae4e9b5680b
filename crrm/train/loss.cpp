#include "crrm/train/loss.h"

#include <ATen/CPUGeneratorImpl.h>

namespace crrm {

at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& teacher,
                     const LossOptions& options) {
  const at::Tensor data = at::cross_entropy_loss(logits, labels);
  if (!teacher.defined() || options.distillation == 0) return data;
  const double t = options.temperature, a = options.distillation;
  const at::Tensor target = at::log_softmax(teacher / t, 1), own = at::log_softmax(logits / t, 1);
  const at::Tensor divergence = at::kl_div(own, target, at::Reduction::Sum, /*log_target=*/true) /
                                static_cast<double>(logits.size(0));
  return (1 - a) * data + a * t * t * divergence;
}

at::Tensor sampled_log_likelihood(const at::Tensor& logits, uint64_t seed) {
  const at::Tensor log_p = at::log_softmax(logits, 1);  // [N, K]
  const at::Tensor drawn = at::multinomial(log_p.detach().exp().cpu(), 1, /*replacement=*/true,
                                           at::detail::createCPUGenerator(seed));
  return log_p.gather(1, drawn.to(logits.device())).sum();
}

}  // namespace crrm
