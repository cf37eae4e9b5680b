#include "crrm/train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"

namespace crrm {

void check_logits(const at::Tensor& logits, int64_t classes) {
  if (logits.dim() == 2 && logits.size(1) == classes) return;
  throw InputError(
      {.place = "output of the network",
       .expected = fmt::format("[N, {}], one number for each of the data's classes", classes),
       .found = fmt::format("[{}]", fmt::join(logits.sizes(), ", ")),
       .hint = "check that model and data belong together"});
}

Evaluation evaluate(const std::function<at::Tensor(const at::Tensor&)>& forward,
                    const Dataset& data, const Normalisation& normalisation, int64_t batch) {
  const at::NoGradGuard no_grad;
  Evaluation result;
  int64_t hits = 0;
  for (int64_t first = 0; first < data.size(); first += batch) {
    throw_if_interrupted();
    const int64_t count = std::min(batch, data.size() - first);
    const Batch samples = take(data, normalisation, first, count, /*channels_last=*/true);
    const at::Tensor logits = forward(samples.inputs);  // [B, K]
    check_logits(logits, data.classes);
    result.loss +=
        at::cross_entropy_loss(logits, samples.labels, {}, at::Reduction::Sum).item<double>();
    hits += logits.argmax(1).eq(samples.labels).sum().item<int64_t>();
  }
  if (!std::isfinite(result.loss))
    throw InputError({.file = data.source,
                      .place = "evaluation",
                      .expected = "finite logits",
                      .found = "NaN or infinity in the network's output"});
  const double n = static_cast<double>(std::max<int64_t>(data.size(), 1));
  constexpr double z = 1.959963984540054;  // normal quantile of 0.975
  const double p = static_cast<double>(hits) / n;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  result.accuracy = p;
  result.loss /= n;
  result.samples = data.size();
  result.low = std::max(0.0, centre - half);
  result.high = std::min(1.0, centre + half);
  return result;
}

Evaluation evaluate(const Graph& graph, const Dataset& data, const Normalisation& normalisation,
                    int64_t batch) {
  const Executor executor(graph);
  return evaluate([&](const at::Tensor& x) { return executor.run({x})[0]; }, data, normalisation,
                  batch);
}

}  // namespace crrm
