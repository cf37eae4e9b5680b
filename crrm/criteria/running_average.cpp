#include "crrm/criteria/running_average.h"

#include <ATen/ATen.h>

namespace crrm {

namespace {

constexpr char kProbes[] = "probes";

std::string key(size_t i) {
  return fmt::format("average/{}", i);
}

}  // namespace

void RunningAverage::add(const Tensors& fresh) {
  ++probes_;
  const double keep = std::min(averaging_, 1.0 - 1.0 / static_cast<double>(probes_));
  averages_.resize(fresh.size());
  for (size_t i = 0; i < fresh.size(); ++i)
    averages_[i] = probes_ == 1 ? fresh[i] : averages_[i] * keep + fresh[i] * (1 - keep);
}

std::map<std::string, at::Tensor> RunningAverage::state() const {
  std::map<std::string, at::Tensor> state = {{kProbes, at::full({1}, probes_, at::kLong)}};
  for (size_t i = 0; i < averages_.size(); ++i) state[key(i)] = averages_[i];
  return state;
}

void RunningAverage::load(const std::map<std::string, at::Tensor>& state) {
  probes_ = state.at(kProbes).item<int64_t>();
  averages_.clear();
  for (auto found = state.find(key(0)); found != state.end();
       found = state.find(key(averages_.size())))
    averages_.push_back(found->second.clone());
}

}  // namespace crrm
