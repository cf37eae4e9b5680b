// The Fisher information of a unit's gate over what the unit costs: crrm's own law, with noise in
// the open gates or without.
//   F_c = E_x E_{y ~ p(.|x)} (d log p(y|x) / d z_c)^2                        docs/theory.md, (2)
// Without noise it is Fisher pruning. Source: Theis, Korshunova, Tejani, Huszar, "Faster gaze
// prediction with dense networks and Fisher pruning", 2018, equations 9 and 13; for coupled
// channels Liu et al., "Group Fisher Pruning", ICML 2021.
#include <ATen/ATen.h>

#include "crrm/criteria/running_average.h"

namespace crrm {

namespace {

class Fisher final : public RunningAverage {
 public:
  Fisher(int units, double averaging, double power)
      : RunningAverage(units, averaging), power_(power) {}

  Probe probe() const override { return Probe::likelihood; }
  void observe(const at::Tensor& gradients) override {
    add(gradients.narrow(1, 0, units()).to(at::kDouble).square().mean(0));
  }
  bool per_cost() const override { return true; }
  std::optional<double> power() const override { return power_; }

 private:
  double power_;
};

const CriterionRegistration registration({"crrm", [](const LivingNetwork& network,
                                                     const CriterionOptions& options) {
                                            return std::make_unique<Fisher>(
                                                network.coupling.size(), options.averaging,
                                                options.power.value_or(kNoNoise));
                                          }});

}  // namespace

}  // namespace crrm
