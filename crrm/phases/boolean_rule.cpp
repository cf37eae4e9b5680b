#include "crrm/phases/boolean_rule.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <numbers>

namespace crrm {

namespace {

constexpr int64_t kBits = 12;
constexpr double kGain = 4;
constexpr double kTheta = 10.2111;

/// [12, 3] float64, on the unit sphere: the cyclic permutations of (0, +-1, +-golden ratio).
at::Tensor icosahedron() {
  const double length = std::hypot(1, std::numbers::phi);
  at::Tensor vertices = at::zeros({kBits, 3}, at::kDouble);
  int64_t row = 0;
  for (const double one : {-1.0, 1.0})
    for (const double phi : {-std::numbers::phi, std::numbers::phi})
      for (int64_t shift = 0; shift < 3; ++shift, ++row) {
        vertices[row][(shift + 1) % 3] = one / length;
        vertices[row][(shift + 2) % 3] = phi / length;
      }
  return vertices;
}

at::Tensor entropy(const at::Tensor& p) {
  return at::special_entr(p) + at::special_entr(1 - p);
}

}  // namespace

BooleanTask boolean_task(uint64_t seed) {
  const at::Tensor numbers = at::arange(int64_t{1} << kBits).unsqueeze(1);
  const at::Tensor bits = at::bitwise_right_shift(numbers, at::arange(kBits)).bitwise_and(1);
  const at::Tensor charges = 2 * bits.to(at::kDouble) - 1;                       // [4096, 12]
  const at::Tensor dipole = at::matmul(charges, icosahedron()).square().sum(1);  // [4096]
  BooleanTask task{.inputs = charges.to(at::kFloat),
                   .labels = {},
                   .positive = at::sigmoid(kGain * (dipole - kTheta))};
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  task.labels = at::bernoulli(task.positive, generator).to(at::kLong);
  return task;
}

double rule_information(const at::Tensor& positive) {
  return (entropy(positive.mean()) - entropy(positive).mean()).item<double>();
}

}  // namespace crrm
