#include "crrm/estimators/max_norm_balls.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace crrm {

namespace {

constexpr int64_t kLanes = 64;  // points of a block: a constant, so that its loops become vectors
constexpr double kRounding = 1e-12;  // of a distance: columns of a grid were scaled
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Distances from one point to all, block by block.
class Points {
 public:
  explicit Points(const at::Tensor& x) : dimensions_(x.size(1)) {
    const int64_t n = x.size(0);
    blocks_ = (n + kLanes - 1) / kLanes;
    at::Tensor padded = at::full({blocks_ * kLanes, dimensions_}, kInfinity, at::kDouble);
    padded.narrow(0, 0, n).copy_(x);
    values_ = padded.view({blocks_, kLanes, dimensions_}).transpose(1, 2).contiguous();
    rows_ = x.contiguous();
  }

  int64_t padded() const { return blocks_ * kLanes; }

  /// @param distances [padded()]; infinite for the point itself and behind the last one
  void distances_from(int64_t i, double* distances) const {
    const double* block = values_.const_data_ptr<double>();
    const double* point = rows_.const_data_ptr<double>() + i * dimensions_;
    for (int64_t b = 0; b < blocks_; ++b) {
      double* out = distances + b * kLanes;
      std::fill(out, out + kLanes, 0.0);
      for (int64_t c = 0; c < dimensions_; ++c, block += kLanes) {
        const double value = point[c];
        for (int64_t l = 0; l < kLanes; ++l) {
          const double difference = std::abs(block[l] - value);
          out[l] = out[l] < difference ? difference : out[l];
        }
      }
    }
    distances[i] = kInfinity;
  }

 private:
  int64_t dimensions_ = 0, blocks_ = 0;
  at::Tensor values_;  // [blocks, dimensions, kLanes]
  at::Tensor rows_;    // [n, dimensions]
};

// The k smallest values seen, ascending.
class Smallest {
 public:
  explicit Smallest(int64_t k) : values_(static_cast<size_t>(k), kInfinity) {}

  void offer(double value) {
    if (!(value < values_.back())) return;
    size_t at = values_.size() - 1;
    for (; at > 0 && values_[at - 1] > value; --at) values_[at] = values_[at - 1];
    values_[at] = value;
  }

  double largest() const { return values_.back(); }

  /// Sum of ln(T_k / T_j), j < k; 0 where a distance is 0.
  double log_ratios() const {
    if (!(values_.front() > 0)) return 0;
    double sum = 0;
    for (const double value : values_) sum += std::log(values_.back() / value);
    return sum;
  }

 private:
  std::vector<double> values_;
};

int64_t nearer(const double* values, int64_t n, double radius) {
  int64_t inside = 0;
  for (int64_t j = 0; j < n; ++j) inside += values[j] < radius * (1 - kRounding);
  return inside;
}

int64_t as_near(const double* values, int64_t n, double radius) {
  int64_t inside = 0;
  for (int64_t j = 0; j < n; ++j) inside += values[j] <= radius * (1 + kRounding);
  return inside;
}

int64_t count(const double* values, int64_t n, double radius, Boundary boundary, bool tied) {
  if (boundary == Boundary::open) return nearer(values, n, radius);
  return tied ? as_near(values, n, radius) : nearer(values, n, radius) + 1;
}

double harmonic_dimension(const at::Tensor& log_ratios, int64_t k) {
  const double sum = log_ratios.sum().item<double>();
  const double seen = static_cast<double>(log_ratios.count_nonzero().item<int64_t>());
  return sum > 0 ? static_cast<double>(k - 1) * seen / sum : 0;
}

}  // namespace

BallCounts count_in_balls(const at::Tensor& x, const at::Tensor& y, int64_t k, Boundary boundary) {
  const int64_t n = x.size(0);
  const Points in_x(x), in_y(y);
  const auto size = static_cast<size_t>(n);
  BallCounts counts{std::vector<int64_t>(size), std::vector<int64_t>(size),
                    std::vector<int64_t>(size)};
  const at::Tensor log_ratios = at::zeros({n}, at::kDouble);
  double* const ratios = log_ratios.mutable_data_ptr<double>();
  at::parallel_for(0, n, /*grain_size=*/16, [&](int64_t begin, int64_t end) {
    const int64_t padded = in_x.padded();
    std::vector<double> dx(static_cast<size_t>(padded)), dy(dx), joint(dx);
    for (int64_t i = begin; i < end; ++i) {
      in_x.distances_from(i, dx.data());
      in_y.distances_from(i, dy.data());
      Smallest nearest(k);
      for (size_t j = 0; j < dx.size(); ++j) {
        joint[j] = dx[j] < dy[j] ? dy[j] : dx[j];
        nearest.offer(joint[j]);
      }
      const double radius = nearest.largest();
      const auto at = static_cast<size_t>(i);
      counts.joint[at] = as_near(joint.data(), padded, radius);
      const bool tied = counts.joint[at] > k;
      counts.x[at] = count(dx.data(), padded, radius, boundary, tied);
      counts.y[at] = count(dy.data(), padded, radius, boundary, tied);
      ratios[i] = nearest.log_ratios();
    }
  });
  counts.dimension = harmonic_dimension(log_ratios, k);
  return counts;
}

BallCounts count_in_label_balls(const at::Tensor& x, const at::Tensor& labels, int64_t k) {
  const int64_t n = x.size(0);
  const Points in_x(x);
  const at::Tensor owned = labels.contiguous();
  const int64_t* label = owned.const_data_ptr<int64_t>();
  std::map<int64_t, int64_t> sizes;
  for (int64_t i = 0; i < n; ++i) ++sizes[label[i]];
  const auto size = static_cast<size_t>(n);
  BallCounts counts{std::vector<int64_t>(size), std::vector<int64_t>(size),
                    std::vector<int64_t>(size)};
  const at::Tensor log_ratios = at::zeros({n}, at::kDouble);
  double* const ratios = log_ratios.mutable_data_ptr<double>();
  at::parallel_for(0, n, /*grain_size=*/16, [&](int64_t begin, int64_t end) {
    std::vector<double> distances(static_cast<size_t>(in_x.padded()));
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      counts.y[at] = sizes.at(label[i]);
      if (counts.y[at] == 1) continue;
      in_x.distances_from(i, distances.data());
      Smallest nearest(std::min(k, counts.y[at] - 1));
      for (int64_t j = 0; j < n; ++j)
        if (label[j] == label[i]) nearest.offer(distances[static_cast<size_t>(j)]);
      const double radius = nearest.largest() * (1 + kRounding);
      for (int64_t j = 0; j < n; ++j) {
        const bool inside = distances[static_cast<size_t>(j)] <= radius;
        counts.x[at] += inside;
        counts.joint[at] += inside && label[j] == label[i];
      }
      if (counts.y[at] > k) ratios[i] = nearest.log_ratios();
    }
  });
  counts.dimension = harmonic_dimension(log_ratios, k);
  return counts;
}

}  // namespace crrm
