#include "crrm/estimators/renyi.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/estimators/noisy_channel.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

at::Tensor gaussian_kernel(const at::Tensor& t, double width) {
  if (!(width > 0))
    throw InputError({.expected = "a kernel of positive width", .found = fmt::format("{}", width)});
  const at::Tensor samples = sample_matrix(t);
  const at::Tensor centred = (samples - samples.mean(0)) / width;
  const at::Tensor squares = centred.square().sum(1);
  const at::Tensor kernel = at::addmm(squares.unsqueeze(1) + squares, centred, centred.t(), 1, -2)
                                .clamp_min_(0)
                                .mul_(-0.5)
                                .exp_();
  kernel.fill_diagonal_(1);
  return kernel;
}

double silverman_width(const at::Tensor& t, double h) {
  return h * std::pow(static_cast<double>(t.size(0)), -1 / (4 + static_cast<double>(t.size(1))));
}

Estimate renyi_entropy(const at::Tensor& kernel, double alpha) {
  if (kernel.dim() != 2 || kernel.size(0) != kernel.size(1))
    throw InputError({.expected = "kernel [n, n]", .found = c10::str(kernel.sizes())});
  if (!(alpha > 0) || alpha == 1)
    throw InputError({.expected = "alpha > 0, not 1", .found = fmt::format("{}", alpha)});
  const at::Tensor matrix = sample_matrix(kernel) / kernel.trace().item<double>();
  const at::Tensor powers =
      alpha == 2 ? matrix.square() : at::linalg_eigvalsh(matrix).clamp_min(0).pow(alpha);
  const int64_t n = kernel.size(0);
  const double ceiling = std::log(static_cast<double>(n));
  Estimate estimate = {
      .measure = fmt::format("matrix Renyi entropy, alpha = {:g}", alpha),
      .value = std::log(powers.sum().item<double>()) / (1 - alpha),
      .unit = "nats",
      .samples = n,
      .assumptions = "none of Shannon's: the kernel and its width define it",
      .source = "Giraldo, Rao & Principe, IEEE Trans. Inf. Theory 61, 535 (2015), definition 2",
      .details = {{"alpha", alpha}, {"ln_n", ceiling}}};
  if (*estimate.value > kSaturatedShare * ceiling) {
    estimate.validity = Validity::saturated;
    estimate.reason = fmt::format("{:.3f} of {:.3f} nats, which the number of samples allows",
                                  *estimate.value, ceiling);
  }
  return estimate;
}

Estimate renyi_information(const at::Tensor& kernel_x, const at::Tensor& kernel_y, double alpha) {
  if (kernel_x.sizes() != kernel_y.sizes())
    throw InputError({.expected = c10::str("kernels of one size, ", kernel_x.sizes()),
                      .found = c10::str(kernel_y.sizes())});
  Estimate estimate = renyi_entropy(kernel_x * kernel_y, alpha);
  const Estimate of_x = renyi_entropy(kernel_x, alpha), of_y = renyi_entropy(kernel_y, alpha);
  estimate.measure = fmt::format("matrix Renyi information, alpha = {:g}", alpha);
  estimate.value = *of_x.value + *of_y.value - *estimate.value;
  for (const Estimate* part : {&of_x, &of_y})
    if (part->validity != Validity::ok) {
      estimate.validity = part->validity;
      estimate.reason = part->reason;
    }
  return estimate;
}

}  // namespace crrm
