// The size of a unit's weights:
//   S_c = sum over its rows and columns of |w|^p,   divided by the mean of its group,
// over weights with two axes or more. The score alone ranks; without the division a layer would be
// ranked by its fan-in.
// Sources: Li, Kadav, Durdanovic, Samet, Graf, "Pruning filters for efficient convnets", ICLR 2017
// (p = 1, one layer); for coupled layers and the division Fang et al., "DepGraph", CVPR 2023, and
// GroupMagnitudeImportance with its defaults in their Torch-Pruning.
#include <ATen/ATen.h>

#include "crrm/criteria/criterion.h"

namespace crrm {

namespace {

class Magnitude final : public Criterion {
 public:
  explicit Magnitude(double p) : p_(p) {}

  at::Tensor scores(const LivingNetwork& network) const override {
    at::Tensor total = at::zeros({network.coupling.size()}, at::kDouble);
    for (const auto& [name, weight] : learned_tensors(network.graph)) {
      if (weight.dim() < 2) continue;
      const at::Tensor sizes = weight.detach().to(at::kDouble).abs().pow(p_);
      for (int64_t axis = 0; axis < weight.dim(); ++axis)
        total += sum_by_unit(network, name, axis, sizes).to(at::kCPU);
    }
    return relative(total, network);
  }

 private:
  /// Over the mean of the living units of the group.
  static at::Tensor relative(at::Tensor scores, const LivingNetwork& network) {
    double* score = scores.data_ptr<double>();
    for (const Group& group : network.coupling.groups()) {
      double sum = 0, count = 0;
      for (const int unit : group.units)
        if (network.alive[static_cast<size_t>(unit)]) {
          sum += score[unit];
          ++count;
        }
      if (sum > 0)
        for (const int unit : group.units) score[unit] *= count / sum;
    }
    return scores;
  }

  double p_;
};

const CriterionRegistration l1({"magnitude-l1", [](const LivingNetwork&, const CriterionOptions&) {
                                  return std::make_unique<Magnitude>(1.0);
                                }});
const CriterionRegistration l2({"magnitude-l2", [](const LivingNetwork&, const CriterionOptions&) {
                                  return std::make_unique<Magnitude>(2.0);
                                }});

}  // namespace

}  // namespace crrm
