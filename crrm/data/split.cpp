#include "crrm/data/split.h"

#include <numeric>

#include "crrm/base/error.h"
#include "crrm/base/random.h"

namespace crrm {

namespace {

/// Samples of each class.
std::vector<std::vector<int64_t>> class_members(const Dataset& data) {
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(data.classes));
  const at::Tensor labels = data.labels.contiguous();  // [N]
  const int64_t* label = labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < data.size(); ++i) members[static_cast<size_t>(label[i])].push_back(i);
  return members;
}

/// Samples of each class, or all of them where there are no labels, in an order drawn by (seed,
/// index).
std::vector<std::vector<int64_t>> shuffled_classes(const Dataset& data, uint64_t seed) {
  std::vector<std::vector<int64_t>> members;
  if (data.labelled()) {
    members = class_members(data);
  } else {
    members.emplace_back(static_cast<size_t>(data.size()));
    std::iota(members[0].begin(), members[0].end(), int64_t{0});
  }
  for (std::vector<int64_t>& indices : members)
    std::sort(indices.begin(), indices.end(), [&](int64_t a, int64_t b) {
      const uint64_t key_a = mix(seed, static_cast<uint64_t>(a));
      const uint64_t key_b = mix(seed, static_cast<uint64_t>(b));
      return std::tie(key_a, a) < std::tie(key_b, b);
    });
  return members;
}

/// How many samples of each class are held out: floor(fraction * size), and one more where the
/// remainder is largest until the total is round(fraction * N), ties to the lower class.
std::vector<int64_t> held_out_counts(const std::vector<std::vector<int64_t>>& members,
                                     double fraction, int64_t total) {
  std::vector<int64_t> counts(members.size());
  std::vector<size_t> order(members.size());
  std::vector<double> remainders(members.size());
  int64_t left = total;
  for (size_t k = 0; k < members.size(); ++k) {
    const double share = fraction * static_cast<double>(members[k].size());
    counts[k] = static_cast<int64_t>(share);
    remainders[k] = share - static_cast<double>(counts[k]);
    left -= counts[k];
    order[k] = k;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (const size_t k : order) {
    if (left <= 0) break;
    if (counts[k] + 1 >= static_cast<int64_t>(members[k].size())) continue;  // keeps its last
    ++counts[k];
    --left;
  }
  return counts;
}

at::Tensor sorted_index(std::vector<int64_t> indices) {
  std::sort(indices.begin(), indices.end());
  return at::tensor(indices, at::kLong);
}

}  // namespace

Dataset select(const Dataset& data, const at::Tensor& index) {
  Dataset part = data;
  part.inputs = data.inputs.index_select(0, index);
  if (data.labelled()) part.labels = data.labels.index_select(0, index);
  return part;
}

HeldOutSplit split_held_out(const Dataset& train, double fraction, uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1))
    throw InputError({.file = train.source,
                      .place = "held-out fraction",
                      .expected = "a number from 0 to below 1",
                      .found = fmt::format("{}", fraction)});
  const std::vector<std::vector<int64_t>> members = shuffled_classes(train, seed);
  const std::vector<int64_t> counts = held_out_counts(
      members, fraction, std::llround(fraction * static_cast<double>(train.size())));
  std::vector<int64_t> kept, held;
  for (size_t k = 0; k < members.size(); ++k) {
    held.insert(held.end(), members[k].begin(), members[k].begin() + counts[k]);
    kept.insert(kept.end(), members[k].begin() + counts[k], members[k].end());
  }
  if (!held.empty())
    return {select(train, sorted_index(std::move(kept))),
            select(train, sorted_index(std::move(held)))};
  HeldOutSplit whole{train, train};
  whole.held_out.inputs = at::Tensor();
  whole.held_out.labels = at::Tensor();
  return whole;
}

}  // namespace crrm
