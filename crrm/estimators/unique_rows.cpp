#include "crrm/estimators/unique_rows.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <unordered_map>

#include "crrm/base/random.h"

namespace crrm {

namespace {

template <typename T>
uint64_t hash_row(const T* row, int64_t d) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  uint64_t hash = 0;
  for (int64_t c = 0; c < d; ++c) hash = split_mix(hash ^ std::bit_cast<Bits>(row[c] + T{0}));
  return hash;
}

template <typename T>
std::vector<int64_t> first_occurrences(const T* rows, int64_t n, int64_t d) {
  std::vector<uint64_t> hashes(static_cast<size_t>(n));
  at::parallel_for(0, n, /*grain_size=*/256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      hashes[static_cast<size_t>(i)] = hash_row(rows + i * d, d);
  });
  std::unordered_multimap<uint64_t, int64_t> seen(hashes.size());
  std::vector<int64_t> first;
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t hash = hashes[static_cast<size_t>(i)];
    const auto [begin, end] = seen.equal_range(hash);
    if (std::any_of(begin, end, [&](const auto& other) {
          const T* row = rows + other.second * d;
          return std::equal(row, row + d, rows + i * d);
        }))
      continue;
    seen.emplace(hash, i);
    first.push_back(i);
  }
  return first;
}

}  // namespace

at::Tensor unique_rows(const at::Tensor& points) {
  const int64_t n = points.size(0), d = points.size(1);
  return at::tensor(points.scalar_type() == at::kFloat
                        ? first_occurrences(points.const_data_ptr<float>(), n, d)
                        : first_occurrences(points.const_data_ptr<double>(), n, d),
                    at::kLong);
}

}  // namespace crrm
