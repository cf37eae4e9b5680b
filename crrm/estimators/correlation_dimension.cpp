#include "crrm/estimators/correlation_dimension.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "crrm/estimators/neighbour_ratios.h"
#include "crrm/estimators/pair_tiles.h"
#include "crrm/estimators/sphere_reading.h"

namespace crrm {

namespace {

constexpr int64_t kInner = 10, kOuter = 20;
constexpr double kRounding = 1e-6;  // more than that of a float32

double median_of(const at::Tensor& values) {
  return at::quantile(values, 0.5).item<double>();
}

// Pairs nearer than each of two radii. The bounds of a tile leave few pairs, whose distances are
// formed as those of neighbours are: a pair at a radius itself is not within it.
std::array<int64_t, 2> pairs_within(const PairTiles& pairs, double inner, double outer) {
  const double reach = outer * pairs.scale() * (1 + kRounding);
  const auto limit = static_cast<float>(reach * reach);
  std::atomic<int64_t> nearer = 0, near = 0;
  pairs.visit([&](const PairTile& tile) {
    const bool diagonal = tile.row == tile.column;
    at::parallel_for(0, tile.rows, /*grain_size=*/16, [&](int64_t begin, int64_t end) {
      int64_t inside_inner = 0, inside_outer = 0;
      for (int64_t r = begin; r < end; ++r) {
        const int64_t i = tile.row + r;
        const float* values = tile.values + r * tile.columns;
        for (int64_t c = diagonal ? r + 1 : 0; c < tile.columns; ++c) {
          if (values[c] + pairs.low(i) > limit) continue;
          const double distance =
              std::sqrt(pairs.squared_distance(i, tile.column + c)) / pairs.scale();
          inside_inner += distance < inner;
          inside_outer += distance < outer;
        }
      }
      nearer += inside_inner;
      near += inside_outer;
    });
  });
  return {nearer, near};
}

}  // namespace

Estimate correlation_dimension(const at::Tensor& points, const Neighbours& neighbours) {
  Estimate estimate =
      describe_dimension(neighbours, "correlation dimension",
                         "Grassberger & Procaccia, Physica D 9, 189 (1983), eq. 2.3, at two radii");
  if (neighbours.k() < kOuter)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} neighbours a point; {} are needed", neighbours.k(), kOuter));
  const double inner = median_of(neighbours.distances.select(1, kInner - 1));
  const double outer = median_of(neighbours.distances.select(1, kOuter - 1));
  estimate.details.insert(estimate.details.end(),
                          {{"inner_radius", inner}, {"outer_radius", outer}});
  at::Tensor table =
      (points.scalar_type() == at::kDouble ? points : points.to(at::kFloat)).contiguous();
  if (neighbours.duplicates > 0) table = table.index_select(0, neighbours.rows);
  const auto [nearer, near] = pairs_within(PairTiles(table), inner, outer);
  if (!(outer > inner) || nearer == 0) return refuse_equal_distances(std::move(estimate));
  estimate.value =
      std::log(static_cast<double>(near) / static_cast<double>(nearer)) / std::log(outer / inner);
  check_samples(estimate, neighbours, kInner, kOuter);
  check_range(estimate, neighbours.features, ratio_between(kInner, kOuter));
  return estimate;
}

}  // namespace crrm
