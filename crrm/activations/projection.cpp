#include "crrm/activations/projection.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "crrm/base/random.h"

namespace crrm {

namespace {

constexpr int64_t kSigns = 8;

/// Where feature `j` goes in block `s`, and with which sign.
struct Entry {
  int32_t column;
  float sign;
};

std::vector<Entry> draw_entries(int64_t features, int64_t columns, uint64_t seed) {
  const auto block = static_cast<uint64_t>(columns / kSigns);
  const float size = 1 / std::sqrt(static_cast<float>(kSigns));
  std::vector<Entry> entries(static_cast<size_t>(features * kSigns));
  for (size_t i = 0; i < entries.size(); ++i) {
    const uint64_t bits = mix(seed, i);
    const uint64_t first = (i % kSigns) * block;
    entries[i] = {static_cast<int32_t>(first + (bits >> 1) % block),
                  (bits & 1) != 0 ? size : -size};
  }
  return entries;
}

}  // namespace

at::Tensor project(const at::Tensor& rows, int64_t columns, uint64_t seed) {
  const int64_t samples = rows.size(0), features = rows.size(1);
  if (features <= columns) return rows;
  const std::vector<Entry> entries = draw_entries(features, columns, seed);
  const at::Tensor in = rows.contiguous();
  at::Tensor out = at::zeros({samples, columns}, at::kFloat);
  const float* x = in.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  at::parallel_for(0, samples, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Entry* entry = entries.data();
      for (int64_t j = 0; j < features; ++j)
        for (int64_t s = 0; s < kSigns; ++s, ++entry)
          y[n * columns + entry->column] += entry->sign * x[n * features + j];
    }
  });
  return out;
}

}  // namespace crrm
