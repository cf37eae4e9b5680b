// The Fisher information of a unit's gate over what the unit costs.
//   F_cd = E_x E_{y ~ p(.|x)} (d log p(y|x) / d z_c) (d log p(y|x) / d z_d), theory.md, (2)
// `fisher` ranks by F_cc. Source: Theis, Korshunova, Tejani, Huszar, "Faster gaze prediction with
// dense networks and Fisher pruning", 2018, equations 9 and 13; for coupled channels Liu et al.,
// "Group Fisher Pruning", ICML 2021.
// `crrm`, without noise in the open gates, ranks by what no other unit of the group can make up for
// (elimination.h); with noise by F_cc, which is what the gates' law is of.
#include <ATen/ATen.h>

#include "crrm/criteria/elimination.h"
#include "crrm/criteria/running_average.h"

namespace crrm {

namespace {

/// Units of a group that may make up for one another. Wider groups fall into blocks of so many, so
/// that neither memory nor time is more than linear in the width: 0.1 s for a block.
constexpr int64_t kWidest = 512;
/// Precision of the prior on adjustments, of the mean information. A tenth of it does as well.
constexpr double kRidge = 0.1;

/// The units of a group, in blocks.
struct Blocks {
  std::vector<int64_t> units;
  int64_t width = 1;

  int64_t count() const { return (size() + width - 1) / width; }
  int64_t size() const { return static_cast<int64_t>(units.size()); }
};

class Fisher final : public RunningAverage {
 public:
  /// @param widest  of a block; 1: every unit for itself
  Fisher(const Coupling& coupling, double averaging, int64_t widest, double power)
      : RunningAverage(averaging), units_(coupling.size()), power_(power) {
    for (const Group& group : coupling.groups())
      groups_.push_back({{group.units.begin(), group.units.end()},
                         std::min(widest, static_cast<int64_t>(group.units.size()))});
  }

  Probe probe() const override { return Probe::likelihood; }
  bool per_cost() const override { return true; }
  std::optional<double> power() const override { return power_; }

  void observe(const at::Tensor& gradients) override {
    const at::Tensor g = gradients.to(at::kDouble);
    Tensors information;
    for (const Blocks& group : groups_) information.push_back(products(g, group));
    add(information);
  }

  at::Tensor scores(const LivingNetwork& network) const override {
    at::Tensor scores = at::zeros({units_}, at::kDouble);
    for (size_t i = 0; i < groups_.size(); ++i) {
      const Blocks& group = groups_[i];
      if (group.width == 1)
        scores.index_put_({at::tensor(group.units, at::kLong)}, averages()[i].flatten());
      else
        for (int64_t block = 0; block < group.count(); ++block)
          score(network.alive, group, block, averages()[i][block], scores);
    }
    return scores;
  }

 private:
  /// @param g  [N, units + 1]
  /// @return [blocks, width, width]; zero where the last block has no units
  static at::Tensor products(const at::Tensor& g, const Blocks& group) {
    const at::Tensor own = g.index_select(1, at::tensor(group.units, at::kLong));  // [N, units]
    const at::Tensor padded =
        at::constant_pad_nd(own, {0, group.count() * group.width - group.size()});
    const at::Tensor blocks =
        padded.view({g.size(0), group.count(), group.width}).permute({1, 0, 2});
    return blocks.transpose(1, 2).bmm(blocks) / g.size(0);
  }

  /// @param information  [width, width] of the block
  static void score(const std::vector<bool>& alive, const Blocks& group, int64_t block,
                    const at::Tensor& information, at::Tensor& scores) {
    std::vector<int64_t> places, units;  // of those that are alive
    for (int64_t place = 0; place < group.width; ++place) {
      const int64_t at = block * group.width + place;
      if (at >= group.size()) break;
      const int64_t unit = group.units[static_cast<size_t>(at)];
      if (!alive[static_cast<size_t>(unit)]) continue;
      places.push_back(place);
      units.push_back(unit);
    }
    if (units.empty()) return;
    const at::Tensor index = at::tensor(places, at::kLong);
    const at::Tensor living = information.index_select(0, index).index_select(1, index);
    const double ridge = kRidge * living.diagonal().mean().item<double>();
    if (ridge > 0)
      scores.index_put_({at::tensor(units, at::kLong)}, elimination_costs(living, ridge));
  }

  std::vector<Blocks> groups_;
  int64_t units_;
  double power_;
};

const CriterionRegistration conditional({"crrm", [](const LivingNetwork& network,
                                                    const CriterionOptions& options) {
                                           return std::make_unique<Fisher>(
                                               network.coupling, options.averaging,
                                               options.power ? 1 : kWidest,
                                               options.power.value_or(kNoNoise));
                                         }});
const CriterionRegistration diagonal({"fisher", [](const LivingNetwork& network,
                                                   const CriterionOptions& options) {
                                        return std::make_unique<Fisher>(
                                            network.coupling, options.averaging, 1, kNoNoise);
                                      }});

}  // namespace

}  // namespace crrm
