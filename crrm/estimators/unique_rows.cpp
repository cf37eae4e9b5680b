#include "crrm/estimators/unique_rows.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <unordered_map>

#include "crrm/base/error.h"
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
UniqueRows group(const at::Tensor& table) {
  const int64_t n = table.size(0), d = table.size(1);
  const T* rows = table.const_data_ptr<T>();
  std::vector<uint64_t> hashes(static_cast<size_t>(n));
  at::parallel_for(0, n, /*grain_size=*/256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      hashes[static_cast<size_t>(i)] = hash_row(rows + i * d, d);
  });
  std::unordered_multimap<uint64_t, int64_t> seen(hashes.size());  // numbers of groups
  std::vector<int64_t> first, groups;
  groups.reserve(hashes.size());
  for (int64_t i = 0; i < n; ++i) {
    const auto [begin, end] = seen.equal_range(hashes[static_cast<size_t>(i)]);
    const auto found = std::find_if(begin, end, [&](const auto& other) {
      const T* row = rows + first[static_cast<size_t>(other.second)] * d;
      return std::equal(row, row + d, rows + i * d);
    });
    if (found != end) {
      groups.push_back(found->second);
      continue;
    }
    groups.push_back(static_cast<int64_t>(first.size()));
    seen.emplace(hashes[static_cast<size_t>(i)], groups.back());
    first.push_back(i);
  }
  return {at::tensor(first, at::kLong), at::tensor(groups, at::kLong)};
}

}  // namespace

UniqueRows unique_rows(const at::Tensor& table) {
  const at::Tensor rows = table.contiguous();
  switch (rows.scalar_type()) {
    case at::kFloat:
      return group<float>(rows);
    case at::kDouble:
      return group<double>(rows);
    case at::kLong:
      return group<int64_t>(rows);
    default:
      throw InternalError("rows are compared as float32, float64 or int64");
  }
}

}  // namespace crrm
