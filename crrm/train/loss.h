// What training minimises besides the gates' cost.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

struct LossOptions {
  double distillation = 0.5;  ///< share of the teacher's part, [0, 1]
  double temperature = 2;     ///< of the teacher's part, > 0
};

/// (1 - a) CE(labels) + a T^2 KL(teacher_T || student_T), nats, mean over the batch.
/// @param logits   [N, K]   @param labels [N] int64
/// @param teacher  [N, K] logits of the uncompressed network; undefined: cross-entropy alone
/// Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015, section 2.
at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& teacher,
                     const LossOptions& options);

/// log p(y|x) of labels drawn from the model's own prediction, summed over the batch, nats.
/// @param logits [N, K]
at::Tensor sampled_log_likelihood(const at::Tensor& logits, uint64_t seed);

}  // namespace crrm
