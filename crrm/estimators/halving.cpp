#include "crrm/estimators/halving.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace crrm {

namespace {

// 97.5 % quantiles of Student's t at the degrees of freedom that the levels leave: 1 + 3 + 7 + 15
// for the variance of an estimate, 1 + 3 + 7 for that of a drift; and the 95 % quantile of this.
constexpr double kStudent26 = 2.0555, kStudent11 = 2.2010, kOneSided11 = 1.7959;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double squares_about_mean(const std::vector<double>& values) {
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

// Variance of the mean of 2^level values of variance v 2^level each, over the levels: v.
class MeanVariance {
 public:
  void add(const std::vector<double>& values) {
    squares_ += squares_about_mean(values) / static_cast<double>(values.size());
    freedom_ += static_cast<double>(values.size() - 1);
  }
  double value() const { return squares_ / freedom_; }

 private:
  double squares_ = 0, freedom_ = 0;
};

std::vector<at::Tensor> halves(const std::vector<at::Tensor>& parts) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& rows : parts)
    for (const at::Tensor& half : at::tensor_split(rows, 2)) all.push_back(half);
  return all;
}

}  // namespace

Interval Halving::interval() const {
  const double margin = kStudent26 * error;
  const double corrected = value - bias, wider = std::hypot(margin, kStudent11 * bias_error);
  return {std::min(value - margin, corrected - wider), std::max(value + margin, corrected + wider)};
}

double Halving::largest_bias() const {
  return std::abs(bias) + kStudent11 * bias_error;
}

double Halving::resolution() const {
  return (kStudent11 + kOneSided11) * bias_error;
}

HalvedEstimates halved(int64_t n, uint64_t seed,
                       const std::function<double(const at::Tensor& rows)>& estimate) {
  const at::Tensor order = at::randperm(n, at::detail::createCPUGenerator(seed), at::kLong);
  HalvedEstimates levels;
  for (std::vector<at::Tensor> parts = {order}; levels.size() <= kHalvings; parts = halves(parts)) {
    std::vector<double>& estimates = levels.emplace_back();
    for (const at::Tensor& rows : parts) estimates.push_back(estimate(rows));
  }
  return levels;
}

Halving extrapolate(const HalvedEstimates& levels, double rate) {
  MeanVariance sampling, drifting;
  double fitted = 0, norm = 0;
  for (size_t level = 0; level < kHalvings; ++level) {
    std::vector<double> drifts;  // of each part against the mean of its halves
    for (size_t part = 0; part < levels[level].size(); ++part)
      drifts.push_back(levels[level][part] -
                       (levels[level + 1][2 * part] + levels[level + 1][2 * part + 1]) / 2);
    const double expected = (1 - std::exp2(rate)) * std::exp2(rate * static_cast<double>(level));
    fitted += expected * mean(drifts);
    norm += expected * expected;
    sampling.add(levels[level + 1]);
    if (level > 0) drifting.add(drifts);
  }
  return {.value = levels[0][0],
          .error = std::sqrt(sampling.value()),
          .bias = fitted / norm,
          .bias_error = std::sqrt(drifting.value() / norm)};
}

}  // namespace crrm
