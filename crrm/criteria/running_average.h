// Criteria that average what their probes show.
#pragma once

#include "crrm/criteria/criterion.h"

namespace crrm {

class RunningAverage : public Criterion {
 public:
  RunningAverage(int units, double averaging);

  bool ready() const override { return probes_ > 0; }
  at::Tensor scores(const LivingNetwork&) const override { return average_; }
  std::map<std::string, at::Tensor> state() const override;
  void load(const std::map<std::string, at::Tensor>& state) override;

 protected:
  /// The plain mean of the first probes, then a running average.
  /// @param fresh  [units] float64
  void add(const at::Tensor& fresh);
  int64_t units() const { return average_.numel(); }

 private:
  double averaging_;
  at::Tensor average_;  ///< [units] float64
  int64_t probes_ = 0;
};

}  // namespace crrm
