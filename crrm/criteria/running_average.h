// Criteria that average what their probes show.
#pragma once

#include "crrm/criteria/criterion.h"

namespace crrm {

class RunningAverage : public Criterion {
 public:
  explicit RunningAverage(double averaging) : averaging_(averaging) {}

  bool ready() const override { return probes_ > 0; }
  std::map<std::string, at::Tensor> state() const override;
  void load(const std::map<std::string, at::Tensor>& state) override;

 protected:
  /// The plain mean of the first probes, then a running average.
  /// @param fresh  float64, of the same shapes each time
  void add(const Tensors& fresh);
  const Tensors& averages() const { return averages_; }

 private:
  double averaging_;
  Tensors averages_;
  int64_t probes_ = 0;
};

}  // namespace crrm
