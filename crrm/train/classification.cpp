#include "crrm/train/classification.h"

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/train/divergence.h"

namespace crrm {

Classification::Classification(int64_t classes, std::unique_ptr<const Teacher> teacher,
                               LossOptions options)
    : classes_(classes), teacher_(std::move(teacher)), options_(options) {}

void Classification::check(const Tensors& outputs) const {
  const at::Tensor& logits = outputs[0];
  if (logits.dim() == 2 && logits.size(1) == classes_) return;
  throw InputError(
      {.place = "output of the network",
       .expected = fmt::format("[N, {}], one number for each of the data's classes", classes_),
       .found = fmt::format("[{}]", fmt::join(logits.sizes(), ", ")),
       .hint = "check that model and data belong together; --task distill needs no labels"});
}

at::Tensor Classification::loss(const Tensors& outputs, const Batch& batch) const {
  const at::Tensor& logits = outputs[0];  // [N, K]
  const at::Tensor data = at::cross_entropy_loss(logits, batch.labels.to(logits.device()));
  const double t = options_.temperature, a = options_.distillation;
  if (!teacher_ || a == 0) return data;
  const at::Tensor target = at::log_softmax((*teacher_)(batch.inputs)[0] / t, 1);
  return (1 - a) * data + a * t * t * divergence(target, at::log_softmax(logits / t, 1), 1);
}

double Classification::blank_loss(const Dataset& data) const {
  const at::Tensor p =
      at::bincount(data.labels, {}, classes_).to(at::kDouble) / static_cast<double>(data.size());
  return -at::xlogy(p, p).sum().item<double>();
}

at::Tensor Classification::probe(const Tensors& outputs, uint64_t seed) const {
  const double t = options_.temperature, a = teacher_ ? options_.distillation : 0;
  const auto of = [&](double temperature, uint64_t draws) {
    return sampled_log_likelihood(at::log_softmax(outputs[0] / temperature, 1), 1, draws);
  };
  if (a == 0) return of(1, seed);
  return std::sqrt(1 - a) * of(1, mix(seed, 0)) + std::sqrt(a) * t * of(t, mix(seed, 1));
}

Evaluation Classification::evaluate(const Forward& forward, const Dataset& data,
                                    const Normalisation& normalisation, int64_t batch) const {
  Evaluation result;
  int64_t hits = 0;
  for_each_batch(data, normalisation, batch, [&](const Batch& samples) {
    const Tensors outputs = forward(samples.inputs);
    check(outputs);
    const at::Tensor& logits = outputs[0];                         // [B, K]
    const at::Tensor labels = samples.labels.to(logits.device());  // [B]
    result.loss += at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
    hits += logits.argmax(1).eq(labels).sum().item<int64_t>();
  });
  require_finite(result.loss, data);
  const int64_t n = std::max<int64_t>(data.size(), 1);
  result.metric = static_cast<double>(hits) / static_cast<double>(n);
  result.loss /= static_cast<double>(n);
  result.samples = data.size();
  std::tie(result.low, result.high) = share_interval(result.metric, n);
  return result;
}

}  // namespace crrm
