// Inputs without labels: the uncompressed network is all that there is to agree with.
#pragma once

#include "crrm/train/task.h"

namespace crrm {

/// What an output means, and so how two networks' outputs are compared.
enum class OutputKind {
  values,         ///< numbers: squared differences
  probabilities,  ///< non-negative, each distribution sums to one
  logits,         ///< of distributions
  discrete        ///< whole numbers, truth values: compared, but nothing to learn from
};

/// An output, with the unit in which its loss is counted.
struct OutputLaw {
  std::string name;
  OutputKind kind = OutputKind::values;
  int64_t axis = 1;  ///< of the classes
  /// What the input tells about the output: for values their variance over samples, mean over
  /// elements; for distributions I(X; Y) = E KL(p(y|x) || p(y)) in nats, mean over distributions.
  double information = 1;
  double blank_loss = 0;  ///< of the mean output, over `information`; 0 where nothing is learned
};

/// The metric is agreement: of outputs that are distributions the share whose largest entry is the
/// original's, of others 1 - relative error, the mean over samples; of several outputs the worst.
class Distillation : public Task {
 public:
  /// @param names    of the network's outputs
  /// @param logits   names of those that are logits: nothing in a file tells them from values.
  ///                 Probabilities are recognised by what they are on `samples`.
  /// @param samples  [N, ...] normalised inputs, N >= 2
  /// @param temperature  > 0, of logits
  /// @throws InputError where `logits` names no output, an output has no axis of samples, or there
  /// are fewer than two samples.
  Distillation(std::unique_ptr<const Teacher> teacher, const std::vector<std::string>& names,
               const std::vector<std::string>& logits, const at::Tensor& samples,
               double temperature);

  std::string metric() const override { return "agreement"; }
  void check(const Tensors& outputs) const override;

  /// Sum over outputs of the divergence from the original over `information`: of values half the
  /// mean squared difference (Gaussian KL of unit variance), of distributions the mean KL, of
  /// logits T^2 KL at temperature T. So each output weighs by the share of its information that is
  /// lost, whatever its unit and size.
  at::Tensor loss(const Tensors& outputs, const Batch& batch) const override;

  /// Random cotangents in the metric of that loss at its minimum: of values normal vectors of
  /// variance 1 / (elements x information); of distributions the log-likelihood of drawn classes,
  /// over sqrt(distributions x information).
  at::Tensor probe(const Tensors& outputs, uint64_t seed) const override;

  /// Of one that always gives the mean output (of logits the mean of their distributions at T):
  /// half the variance of values, all information of distributions, T^2 times that at T of logits;
  /// over `information` as in `loss`.
  double blank_loss(const Dataset& data) const override;

  using Task::evaluate;
  Evaluation evaluate(const Forward& forward, const Dataset& data,
                      const Normalisation& normalisation, int64_t batch) const override;

  const std::vector<OutputLaw>& laws() const { return laws_; }

 private:
  at::Tensor loss(const Tensors& outputs, const Tensors& original) const;

  std::unique_ptr<const Teacher> teacher_;
  std::vector<OutputLaw> laws_;
  double temperature_;
};

}  // namespace crrm
