#include "crrm/estimators/neighbours.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "crrm/base/error.h"
#include "crrm/estimators/pair_tiles.h"
#include "crrm/estimators/unique_rows.h"

namespace crrm {

namespace {

struct Candidate {
  float low = 0;  // bound of the squared distance
  int32_t point = 0;
};

// Every point's candidates. Points are independent of one another: threads may share them out.
class Search {
 public:
  Search(const PairTiles& pairs, int64_t k)
      : pairs_(pairs),
        k_(static_cast<size_t>(k)),
        capacity_(4 * k_ + 64),
        candidates_(static_cast<size_t>(pairs.size()) * capacity_),
        counts_(static_cast<size_t>(pairs.size())),
        reach_(counts_.size(), std::numeric_limits<float>::infinity()) {}

  void take(const PairTile& tile) {
    const bool diagonal = tile.row == tile.column;
    at::parallel_for(0, tile.rows, /*grain_size=*/16, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const float* values = tile.values + r * tile.columns;
        const int64_t i = tile.row + r;
        const float low = pairs_.low(i);
        for (int64_t c = diagonal ? r + 1 : 0; c < tile.columns; ++c)
          if (values[c] + low <= reach_[static_cast<size_t>(i)])
            add(i, tile.column + c, values[c] + low);
      }
    });
    at::parallel_for(0, tile.columns, /*grain_size=*/16, [&](int64_t begin, int64_t end) {
      for (int64_t r = 0; r < tile.rows; ++r) {
        const float* values = tile.values + r * tile.columns;
        const float low = pairs_.low(tile.row + r);
        for (int64_t c = std::max(begin, diagonal ? r + 1 : 0); c < end; ++c)
          if (values[c] + low <= reach_[static_cast<size_t>(tile.column + c)])
            add(tile.column + c, tile.row + r, values[c] + low);
      }
    });
  }

  // The k nearest of point i. @param out  [k] squared distances and points, ascending
  void finish(int64_t i, std::pair<double, int64_t>* out) {
    std::vector<std::pair<double, int64_t>> found;
    if (reach_[static_cast<size_t>(i)] >= 0) prune(i);
    if (reach_[static_cast<size_t>(i)] >= 0) {
      const Candidate* own = of(i);
      for (size_t c = 0; c < counts_[static_cast<size_t>(i)]; ++c)
        found.emplace_back(pairs_.squared_distance(i, own[c].point), own[c].point);
    } else {
      for (int64_t j = 0; j < pairs_.size(); ++j)
        if (j != i) found.emplace_back(pairs_.squared_distance(i, j), j);
    }
    std::partial_sort_copy(found.begin(), found.end(), out, out + k_);
  }

 private:
  Candidate* of(int64_t i) { return candidates_.data() + static_cast<size_t>(i) * capacity_; }

  void add(int64_t i, int64_t j, float low) {
    size_t& count = counts_[static_cast<size_t>(i)];
    of(i)[count++] = {low, static_cast<int32_t>(j)};
    if (count == capacity_) prune(i);
  }

  // Brings the reach down to an upper bound of the k-th distance, and drops what cannot be nearer.
  // Where that leaves hardly any room, the bounds do not tell the points apart: reach_ < 0 marks
  // it.
  void prune(int64_t i) {
    Candidate* own = of(i);
    size_t& count = counts_[static_cast<size_t>(i)];
    std::vector<float> high(count);
    for (size_t c = 0; c < count; ++c)
      high[c] = own[c].low + 2 * (pairs_.slack(i) + pairs_.slack(own[c].point));
    const auto kth = high.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(high.begin(), kth, high.end());
    float& reach = reach_[static_cast<size_t>(i)];
    // A squared distance is not negative, but its upper bound rounds.
    reach = std::max(0.F, std::min(reach, *kth));
    count = static_cast<size_t>(
        std::remove_if(own, own + count, [&](const Candidate& c) { return c.low > reach; }) - own);
    if (count > capacity_ - k_ / 2 - 16) {
      reach = -std::numeric_limits<float>::infinity();
      count = 0;
    }
  }

  const PairTiles& pairs_;
  size_t k_, capacity_;
  std::vector<Candidate> candidates_;  // [points, capacity]
  std::vector<size_t> counts_;         // [points]
  std::vector<float> reach_;           // [points]: nothing farther is looked at
};

at::Tensor checked(const at::Tensor& points, int64_t k) {
  if (points.dim() != 2 || points.size(0) == 0 || points.size(1) == 0 ||
      !at::isFloatingType(points.scalar_type()) || k < 1)
    throw InputError({.place = "nearest neighbours",
                      .expected = "points [n, d] of floating point, k >= 1",
                      .found = fmt::format("{} axes of {}, k = {}", points.dim(),
                                           c10::toString(points.scalar_type()), k)});
  const at::Tensor table =
      (points.scalar_type() == at::kDouble ? points : points.to(at::kFloat)).contiguous();
  const auto [least, greatest] = at::aminmax(table);
  if (!std::isfinite(least.item<double>()) || !std::isfinite(greatest.item<double>())) {
    const at::Tensor bad = table.isfinite().all(1).logical_not().nonzero();
    throw InputError({.place = fmt::format("row {}", bad[0].item<int64_t>()),
                      .expected = "finite points",
                      .found = "NaN or an infinity"});
  }
  return table;
}

}  // namespace

Neighbours nearest_neighbours(const at::Tensor& points, int64_t k) {
  at::Tensor table = checked(points.detach(), k);
  const at::Tensor rows = unique_rows(table).first;
  const int64_t n = rows.size(0), duplicates = table.size(0) - n;
  k = std::min(k, n - 1);
  Neighbours found{.distances = at::empty({n, k}, at::kDouble),
                   .indices = at::empty({n, k}, at::kLong),
                   .rows = rows,
                   .duplicates = duplicates,
                   .features = table.size(1)};
  if (k == 0) return found;
  if (duplicates > 0) table = table.index_select(0, rows);
  const PairTiles pairs(table);
  Search search(pairs, k);
  pairs.visit([&](const PairTile& tile) { search.take(tile); });
  double* distances = found.distances.mutable_data_ptr<double>();
  int64_t* indices = found.indices.mutable_data_ptr<int64_t>();
  const int64_t* origin = rows.const_data_ptr<int64_t>();
  at::parallel_for(0, n, /*grain_size=*/64, [&](int64_t begin, int64_t end) {
    std::vector<std::pair<double, int64_t>> nearest(static_cast<size_t>(k));
    for (int64_t i = begin; i < end; ++i) {
      search.finish(i, nearest.data());
      for (int64_t j = 0; j < k; ++j) {
        const auto& [squared, point] = nearest[static_cast<size_t>(j)];
        distances[i * k + j] = std::sqrt(squared) / pairs.scale();
        indices[i * k + j] = origin[point];
      }
    }
  });
  return found;
}

}  // namespace crrm
