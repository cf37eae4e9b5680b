#include "crrm/criteria/running_average.h"

#include <ATen/ATen.h>

namespace crrm {

namespace {

constexpr char kAverage[] = "average", kProbes[] = "probes";

}  // namespace

RunningAverage::RunningAverage(int units, double averaging)
    : averaging_(averaging), average_(at::zeros({units}, at::kDouble)) {}

void RunningAverage::add(const at::Tensor& fresh) {
  ++probes_;
  const double keep = std::min(averaging_, 1.0 - 1.0 / static_cast<double>(probes_));
  average_ = average_ * keep + fresh * (1 - keep);
}

std::map<std::string, at::Tensor> RunningAverage::state() const {
  return {{kAverage, average_}, {kProbes, at::full({1}, probes_, at::kLong)}};
}

void RunningAverage::load(const std::map<std::string, at::Tensor>& state) {
  average_ = state.at(kAverage).clone();
  probes_ = state.at(kProbes).item<int64_t>();
}

}  // namespace crrm
