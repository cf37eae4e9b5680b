#include "crrm/estimators/manifolds.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/base/error.h"
#include "crrm/estimators/unique_rows.h"

namespace crrm {

namespace {

constexpr int64_t kProjectedAtOnce = 1024;  // coordinates, to bound the memory of the matrix

[[noreturn]] void reject(size_t manifold, std::string expected, std::string found) {
  throw InputError({.place = fmt::format("manifold {}", manifold),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

}  // namespace

Manifolds::Manifolds(const std::vector<at::Tensor>& points) {
  if (points.empty())
    throw InputError({.expected = "manifolds, [points, dimensions] each", .found = "none"});
  std::vector<at::Tensor> all;
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].dim() != 2 || points[i].numel() == 0)
      reject(i, "[points, dimensions], not empty", c10::str(points[i].sizes()));
    if (points[i].size(1) != points[0].size(1))
      reject(i, fmt::format("points of {} dimensions, as in manifold 0", points[0].size(1)),
             fmt::format("{}", points[i].size(1)));
    all.push_back(points[i].detach().to(at::kCPU, at::kDouble));
    if (!at::isfinite(all.back()).all().item<bool>()) reject(i, "finite values", "inf or nan");
    sizes_.push_back(points[i].size(0));
  }
  points_ = at::cat(all);
}

int64_t Manifolds::smallest() const {
  return *std::min_element(sizes_.begin(), sizes_.end());
}

int64_t Manifolds::largest() const {
  return *std::max_element(sizes_.begin(), sizes_.end());
}

int64_t Manifolds::duplicates() const {
  int64_t count = 0;
  for (const at::Tensor& points : split())
    count += points.size(0) - unique_rows(points).first.size(0);
  return count;
}

std::vector<at::Tensor> Manifolds::split() const {
  return points_.split_with_sizes(sizes_);
}

at::Tensor Manifolds::centres() const {
  std::vector<at::Tensor> means;
  for (const at::Tensor& points : split()) means.push_back(points.mean(0));
  return at::stack(means);
}

void Manifolds::replace(const at::Tensor& points) {
  TORCH_INTERNAL_ASSERT(points.size(0) == points_.size(0));
  points_ = points;
}

void Manifolds::project(int64_t dimensions, uint64_t seed) {
  const int64_t from = points_.size(1);
  if (from <= dimensions) return;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  at::Tensor projected = at::zeros({points_.size(0), dimensions}, at::kDouble);
  for (int64_t first = 0; first < from; first += kProjectedAtOnce) {
    const int64_t width = std::min(kProjectedAtOnce, from - first);
    const at::Tensor matrix = at::randn({width, dimensions}, generator, at::kDouble);
    projected.addmm_(points_.narrow(1, first, width), matrix);
  }
  points_ = projected / std::sqrt(static_cast<double>(dimensions));
}

}  // namespace crrm
