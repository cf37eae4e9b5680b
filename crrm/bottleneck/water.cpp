#include "crrm/bottleneck/water.h"

#include <ATen/CPUGeneratorImpl.h>

#include "crrm/base/error.h"

namespace crrm {

namespace {

void check_units(const at::Tensor& values, const char* what, bool zero_allowed) {
  const at::Tensor doubles = values.to(at::kDouble).contiguous();
  for (int64_t c = 0; c < doubles.numel(); ++c) {
    const double value = doubles.data_ptr<double>()[c];
    if (std::isfinite(value) && (value > 0 || (zero_allowed && value == 0))) continue;
    throw InputError({.place = fmt::format("{} of unit {}", what, c),
                      .expected = zero_allowed ? "a finite number >= 0" : "a finite number > 0",
                      .found = fmt::format("{}", value)});
  }
}

}  // namespace

at::Tensor water_fill(const at::Tensor& fisher, const at::Tensor& weight, double beta, double p) {
  check_units(fisher, "Fisher information", /*zero_allowed=*/true);
  check_units(weight, "cost", /*zero_allowed=*/false);
  if (!(beta > 0) || !std::isfinite(beta) || !(p >= 1))
    throw InputError({.place = "water level",
                      .expected = "beta > 0 and p >= 1",
                      .found = fmt::format("beta = {}, p = {}", beta, p)});
  const at::Tensor level =
      beta * weight.to(at::kDouble) / fisher.to(at::kDouble);  // inf where F = 0
  return at::clamp_max(at::pow(level, p), 1.0);
}

double rate_nats(const at::Tensor& distortion) {
  return -0.5 * at::log(distortion.to(at::kDouble)).sum().item<double>();
}

at::Tensor draw_gates(const at::Tensor& distortion, int64_t samples, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const int64_t units = distortion.numel();
  const at::Tensor d = distortion.to(at::kFloat);  // [C]
  at::Tensor gates = at::ones({samples, units + 1}, at::kFloat);
  at::Tensor z = gates.narrow(1, 0, units);  // [samples, C]
  z.copy_(at::randn({samples, units}, generator, at::TensorOptions(at::kFloat)));
  z.mul_(at::sqrt(d * (1 - d))).add_(1 - d);
  return gates;
}

}  // namespace crrm
