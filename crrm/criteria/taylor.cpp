// First-order Taylor expansion of the loss by a unit's gate:
//   I_c = (d L / d z_c)^2,   L the training loss, mean over a batch; then the average over batches.
// The score alone ranks.
// Source: Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation for Neural Network
// Pruning", CVPR 2019, equation 8 and section 3.2 (the gates).
#include <ATen/ATen.h>

#include "crrm/criteria/running_average.h"

namespace crrm {

namespace {

constexpr double kPast = 0.9;  // its weight in the average over probes

class Taylor final : public RunningAverage {
 public:
  Taylor() : RunningAverage(kPast) {}

  Probe probe() const override { return Probe::loss; }
  void observe(const at::Tensor& gradients) override {
    const int64_t units = gradients.size(1) - 1;
    add({gradients.narrow(1, 0, units).to(at::kDouble).sum(0).square()});
  }
  at::Tensor scores(const LivingNetwork&) const override { return averages()[0]; }
};

const CriterionRegistration registration({"taylor",
                                          [](const LivingNetwork&, const CriterionOptions&) {
                                            return std::make_unique<Taylor>();
                                          }});

}  // namespace

}  // namespace crrm
