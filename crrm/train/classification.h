// Samples with one label each.
#pragma once

#include <memory>

#include "crrm/train/task.h"

namespace crrm {

struct LossOptions {
  double distillation = 0.5;  ///< share of the teacher's part, [0, 1]
  double temperature = 2;     ///< of the teacher's part, > 0
};

/// The metric is accuracy: the share of samples whose largest logit is the label's.
class Classification : public Task {
 public:
  /// @param classes  of the data
  /// @param teacher  the uncompressed network; null: cross-entropy alone
  Classification(int64_t classes, std::unique_ptr<const Teacher> teacher, LossOptions options);

  std::string metric() const override { return "accuracy"; }
  void check(const Tensors& outputs) const override;

  /// (1 - a) CE(labels) + a T^2 KL(teacher_T || student_T), nats.
  /// Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015, section
  /// 2.
  at::Tensor loss(const Tensors& outputs, const Batch& batch) const override;

  /// The entropy of the labels, nats.
  double blank_loss(const Dataset& data) const override;

  /// log p(y|x), y drawn from the model's own prediction, summed over the batch.
  at::Tensor probe(const Tensors& outputs, uint64_t seed) const override;

  using Task::evaluate;
  /// The loss is the cross-entropy alone.
  Evaluation evaluate(const Forward& forward, const Dataset& data,
                      const Normalisation& normalisation, int64_t batch) const override;

 private:
  int64_t classes_;
  std::unique_ptr<const Teacher> teacher_;
  LossOptions options_;
};

}  // namespace crrm
