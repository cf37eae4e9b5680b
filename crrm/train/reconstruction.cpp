#include "crrm/train/reconstruction.h"

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/train/divergence.h"

namespace crrm {

namespace {

/// [B, ...] on any device as [B, elements] float64.
at::Tensor rows(const at::Tensor& x) {
  return x.to(at::kCPU, at::kDouble).flatten(1);
}

/// Of normalised inputs, [elements] float64.
at::Tensor mean_of(const Dataset& data, const Normalisation& normalisation, int64_t batch) {
  at::Tensor sum;
  for_each_batch(data, normalisation, batch, [&](const Batch& samples) {
    const at::Tensor own = rows(samples.inputs).sum(0);
    sum = sum.defined() ? sum + own : own;
  });
  return sum / static_cast<double>(data.size());
}

/// [B]
at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).square().sum(1);
}

/// Standard error of mean(a) / mean(b), by the delta method.
/// @param a, b  [N], N >= 2
double error_of_ratio(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor residual = a - a.sum() / b.sum() * b;  // of mean zero
  const double n = static_cast<double>(a.size(0));
  return (residual.square().sum() / (n * (n - 1))).sqrt().item<double>() / b.mean().item<double>();
}

void require_variance(double variance, const std::string& source) {
  if (variance > 0) return;
  throw InputError({.file = source,
                    .place = "inputs to reconstruct",
                    .expected = "samples that differ",
                    .found = "a variance of 0"});
}

}  // namespace

double variance_of(const Dataset& data, const Normalisation& normalisation, int64_t batch) {
  const at::Tensor mean = mean_of(data, normalisation, batch);  // [elements]
  double total = 0;
  for_each_batch(data, normalisation, batch, [&](const Batch& samples) {
    total += squared_distances(rows(samples.inputs), mean).sum().item<double>();
  });
  return total / static_cast<double>(data.size() * mean.numel());
}

Reconstruction::Reconstruction(Shape sample, double variance)
    : sample_(std::move(sample)), variance_(variance) {
  require_variance(variance, "");
}

void Reconstruction::check(const Tensors& outputs) const {
  const at::Tensor& output = outputs[0];
  if (output.is_floating_point() && output.dim() > 0 && output.sizes().slice(1) == sample_) return;
  throw InputError({.place = "output of the network",
                    .expected = fmt::format("[N, {}], the shape of the inputs that it is to "
                                            "reconstruct",
                                            fmt::join(sample_, ", ")),
                    .found = fmt::format("[{}]", fmt::join(output.sizes(), ", "))});
}

at::Tensor Reconstruction::loss(const Tensors& outputs, const Batch& batch) const {
  return at::mse_loss(outputs[0], batch.inputs.to(outputs[0].device())) / variance_;
}

at::Tensor Reconstruction::probe(const Tensors& outputs, uint64_t seed) const {
  const at::Tensor& y = outputs[0];
  const double elements = static_cast<double>(y.numel()) / static_cast<double>(y.size(0));
  return normal_projection(y, seed) * std::sqrt(2 / (elements * variance_));
}

Evaluation Reconstruction::evaluate(const Forward& forward, const Dataset& data,
                                    const Normalisation& normalisation, int64_t batch) const {
  const at::Tensor mean = mean_of(data, normalisation, batch);  // [elements]
  Tensors errors, spreads;                                      // [B] each
  for_each_batch(data, normalisation, batch, [&](const Batch& samples) {
    const Tensors outputs = forward(samples.inputs);
    check(outputs);
    const at::Tensor x = rows(samples.inputs);
    errors.push_back(squared_distances(rows(outputs[0]), x));
    spreads.push_back(squared_distances(x, mean));
  });
  const at::Tensor error = at::cat(errors), spread = at::cat(spreads);  // [N]
  Evaluation result{.samples = data.size()};
  result.loss = error.mean().item<double>() / (static_cast<double>(mean.numel()) * variance_);
  require_finite(result.loss, data);
  require_variance(spread.sum().item<double>(), data.source);
  const double explained = 1 - (error.sum() / spread.sum()).item<double>();
  const double half = kNormal975 * error_of_ratio(error, spread);
  const auto share = [](double value) { return std::clamp(value, 0.0, 1.0); };
  result.metric = share(explained);
  result.low = share(explained - half);
  result.high = share(explained + half);
  return result;
}

}  // namespace crrm
