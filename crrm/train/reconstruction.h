// Inputs that are to be given back: autoencoders.
#pragma once

#include "crrm/train/task.h"

namespace crrm {

/// Variance of normalised inputs over samples, mean over elements.
double variance_of(const Dataset& data, const Normalisation& normalisation, int64_t batch);

/// The metric is the share of the inputs' variance that the output explains,
/// 1 - sum |y - x|^2 / sum |x - mean|^2 over the samples that are judged, not below 0. Its interval
/// is that of a ratio of means by the delta method, 95 %.
class Reconstruction : public Task {
 public:
  /// @param sample    shape of one input, without the batch
  /// @param variance  of the training inputs: the unit of the loss
  /// @throws InputError where the variance is 0.
  Reconstruction(Shape sample, double variance);

  std::string metric() const override { return "explained_variance"; }
  void check(const Tensors& outputs) const override;

  /// Mean squared error over `variance`: the share that is lost, whatever the inputs' unit.
  at::Tensor loss(const Tensors& outputs, const Batch& batch) const override;

  /// Cotangents are normal vectors of variance 2 / (elements x variance), as that loss curves.
  at::Tensor probe(const Tensors& outputs, uint64_t seed) const override;

  /// Of one that always gives the mean input.
  double blank_loss(const Dataset&) const override { return 1; }

  using Task::evaluate;
  /// @throws InputError as check, where an output is not finite, and where all samples are one.
  Evaluation evaluate(const Forward& forward, const Dataset& data,
                      const Normalisation& normalisation, int64_t batch) const override;

 private:
  Shape sample_;
  double variance_;
};

}  // namespace crrm
