// The Fisher information of units' gates over what the units cost.
//   F_cd = E_x E_{y ~ p(.|x)} (d log p(y|x) / d z_c) (d log p(y|x) / d z_d), theory.md, (2)
// `fisher` ranks by F_cc. Source: Theis, Korshunova, Tejani, Huszar, "Faster gaze prediction with
// dense networks and Fisher pruning", 2018, equations 9 and 13; for coupled channels Liu et al.,
// "Group Fisher Pruning", ICML 2021.
// `crrm`, without noise in the open gates, ranks by what no other unit of the group can make up for
// (elimination.h); with noise by F_cc, which is what the gates' law is of.
// Both take the mean over all probes: what weights at a high learning rate happen to need for some
// steps is no measure of what the units will be needed for when they have settled.
#include <ATen/ATen.h>

#include "crrm/criteria/elimination.h"
#include "crrm/criteria/running_average.h"

namespace crrm {

namespace {

constexpr double kAllProbes = 1;

class Fisher final : public RunningAverage {
 public:
  explicit Fisher(double power) : RunningAverage(kAllProbes), power_(power) {}

  Probe probe() const override { return Probe::likelihood; }
  bool per_cost() const override { return true; }
  std::optional<double> power() const override { return power_; }

  void observe(const at::Tensor& gradients) override {
    const int64_t units = gradients.size(1) - 1;
    add({gradients.narrow(1, 0, units).to(at::kDouble).square().mean(0)});
  }
  at::Tensor scores(const LivingNetwork&) const override { return averages()[0]; }

 private:
  double power_;
};

/// Units of a group that may make up for one another.
class Block {
 public:
  /// Wider groups fall into blocks of so many, so that neither memory nor time is more than linear
  /// in the width: 0.1 s for a block.
  static constexpr size_t kWidest = 512;

  explicit Block(std::vector<int64_t> units) : units_(std::move(units)) {}

  /// @param g  [N, units of the network + 1]
  /// @return [n, n]
  at::Tensor information(const at::Tensor& g) const {
    const at::Tensor own = g.index_select(1, at::tensor(units_, at::kLong));
    return own.t().mm(own) / g.size(0);
  }

  /// @param information  [n, n]
  /// @param scores       [units of the network]: those of the living are set
  void score(const at::Tensor& information, const std::vector<bool>& alive,
             at::Tensor& scores) const {
    std::vector<int64_t> places, units;
    for (size_t place = 0; place < units_.size(); ++place) {
      if (!alive[static_cast<size_t>(units_[place])]) continue;
      places.push_back(static_cast<int64_t>(place));
      units.push_back(units_[place]);
    }
    if (units.empty()) return;
    const at::Tensor index = at::tensor(places, at::kLong);
    const at::Tensor living = information.index_select(0, index).index_select(1, index);
    const double ridge = kRidge * living.diagonal().mean().item<double>();
    if (ridge > 0)
      scores.index_put_({at::tensor(units, at::kLong)}, elimination_costs(living, ridge));
  }

 private:
  /// Precision of the prior on adjustments, of the mean information. A tenth of it does as well.
  static constexpr double kRidge = 0.1;

  std::vector<int64_t> units_;
};

class ConditionalFisher final : public RunningAverage {
 public:
  explicit ConditionalFisher(const Coupling& coupling) : RunningAverage(kAllProbes) {
    for (const Group& group : coupling.groups())
      for (size_t begin = 0; begin < group.units.size(); begin += Block::kWidest) {
        const size_t end = std::min(begin + Block::kWidest, group.units.size());
        const auto units = group.units.begin();
        blocks_.emplace_back(std::vector<int64_t>(units + static_cast<ptrdiff_t>(begin),
                                                  units + static_cast<ptrdiff_t>(end)));
      }
  }

  Probe probe() const override { return Probe::likelihood; }
  bool per_cost() const override { return true; }
  std::optional<double> power() const override { return kNoNoise; }

  void observe(const at::Tensor& gradients) override {
    const at::Tensor g = gradients.to(at::kDouble);
    Tensors information;
    for (const Block& block : blocks_) information.push_back(block.information(g));
    add(information);
  }

  at::Tensor scores(const LivingNetwork& network) const override {
    at::Tensor scores = at::zeros({network.coupling.size()}, at::kDouble);
    for (size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].score(averages()[i], network.alive, scores);
    return scores;
  }

 private:
  std::vector<Block> blocks_;
};

const CriterionRegistration conditional(
    {"crrm",
     [](const LivingNetwork& network,
        const CriterionOptions& options) -> std::unique_ptr<Criterion> {
       if (options.power) return std::make_unique<Fisher>(*options.power);
       return std::make_unique<ConditionalFisher>(network.coupling);
     }});
const CriterionRegistration diagonal({"fisher", [](const LivingNetwork&, const CriterionOptions&) {
                                        return std::make_unique<Fisher>(kNoNoise);
                                      }});

}  // namespace

}  // namespace crrm
