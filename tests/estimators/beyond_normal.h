// The 40 tasks of "Beyond Normal" (Czyz et al., NeurIPS 2023) with their mutual information in
// closed form, sampled as the package benchmark-mi 0.1.3 does.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace crrm::testing {

struct Pair {
  at::Tensor x, y;  // [n, dx], [n, dy] float64
};

struct BeyondNormalTask {
  std::string name;        ///< as in the package
  double information = 0;  ///< nats
  std::function<Pair(int64_t n, uint64_t seed)> sample;
};

std::vector<BeyondNormalTask> beyond_normal_tasks();

/// [n, d] independent standard normal values.
at::Tensor normals(int64_t n, int64_t d, uint64_t seed);

/// Normal pairs of correlation rho: I = -1/2 ln(1 - rho^2).
Pair normal_pair(double rho, int64_t n, uint64_t seed);

/// d-dimensional normals, the first two coordinates correlated by 0.8 with those of the other side.
Pair two_pair(int64_t d, int64_t n, uint64_t seed);

}  // namespace crrm::testing
