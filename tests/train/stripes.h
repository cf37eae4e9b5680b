// Images that a small network learns in a few steps.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/data/dataset.h"

namespace crrm::test {

/// Images whose class is where they are bright; the draws depend on the seed alone.
inline Dataset stripes(int64_t count, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const at::TensorOptions real = at::TensorOptions(at::kFloat);
  Dataset data;
  data.inputs = 0.5 * at::randn({count, 1, 8, 8}, generator, real);
  data.labels = at::arange(count, at::kLong).remainder(4);
  data.classes = 4;
  for (int64_t n = 0; n < count; ++n) data.inputs[n][0][2 * (n % 4)].add_(1.0);
  return data;
}

}  // namespace crrm::test
