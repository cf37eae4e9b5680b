// Points for the tests of intrinsic dimension.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace crrm {

/// [n, d] float32, standard normal.
inline at::Tensor normal_points(int64_t n, int64_t d, uint64_t seed) {
  return at::randn({n, d}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

/// [n, d] float64, uniform on [0, 1).
inline at::Tensor uniform_points(int64_t n, int64_t d, uint64_t seed) {
  return at::rand({n, d}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kDouble);
}

/// Fractional parts of i sqrt(p), i = 1 .. 400, for the first six primes p: [400, 6] float64,
/// evenly spread and the same in every program.
inline at::Tensor weyl_points() {
  const at::Tensor roots = at::tensor({2.0, 3.0, 5.0, 7.0, 11.0, 13.0}, at::kDouble).sqrt();
  return (at::arange(1, 401, at::kDouble).unsqueeze(1) * roots).frac();
}

}  // namespace crrm
