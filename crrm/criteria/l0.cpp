// Hard-concrete gates, learned under a limit on the cost that is expected of them:
//   u ~ U(0, 1),  s = sigmoid((log u - log(1 - u) + a) / tau),  z = clip(s (zeta - gamma) + gamma)
//   P(z > 0) = sigmoid(a - tau log(-gamma / zeta))
//   min over weights and a, max over lambda >= 0:   loss + lambda (E cost / limit - 1)
// a and lambda follow their gradients, lambda upwards. The limit falls along the ramp; at its end
// the units with the largest P stay, and their gates go to one as the noise of others does.
// E cost is that of the network with as many units of each group as P makes expect, and linear in P
// around it until the next call of `constrain`.
// Sources: Louizos, Welling, Kingma, "Learning sparse neural networks through L0 regularization",
// ICLR 2018, equations 10 to 12 and section 4 (tau, gamma, zeta); Gallego-Posada, Ramirez,
// Erraqabi, Bengio, Lacoste-Julien, "Controlled sparsity via constrained optimization", NeurIPS
// 2022, equations 5 to 7. Their restarts of lambda are for a limit that stands still.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/base/random.h"
#include "crrm/criteria/criterion.h"

namespace crrm {

namespace {

constexpr double kTau = 2.0 / 3, kGamma = -0.1, kZeta = 1.1;
/// Rate of dropout d at first, a = log((1 - d) / d): the network comes trained.
constexpr double kDropout = 0.05;
/// Bound of |a|; as in the authors' program.
const double kMost = std::log(1e2);
constexpr double kNoise = 1e-2;  ///< of a at first
/// Along the ramp a can cross its range this often, and lambda rises by this much for a limit that
/// is missed by a factor of two all the time: runs of any length get as far.
constexpr double kCrossings = 4, kDualRise = 200;

enum Stream : uint64_t { kFirst = 12 };

at::Tensor open_probability(const at::Tensor& a) {
  return at::sigmoid(a - kTau * std::log(-kGamma / kZeta));
}

/// Adam for one tensor, so that its state is plain.
/// Source: Kingma, Ba, "Adam: A method for stochastic optimization", ICLR 2015, algorithm 1.
struct Adam {
  at::Tensor mean, square;
  int64_t steps = 0;

  at::Tensor direction(const at::Tensor& gradient) {
    constexpr double kMean = 0.9, kSquare = 0.999, kEpsilon = 1e-8;
    ++steps;
    mean = kMean * mean + (1 - kMean) * gradient;
    square = kSquare * square + (1 - kSquare) * gradient.square();
    const double n = static_cast<double>(steps);
    return mean / (1 - std::pow(kMean, n)) /
           (at::sqrt(square / (1 - std::pow(kSquare, n))) + kEpsilon);
  }
};

class L0 final : public Criterion {
 public:
  L0(int units, const CriterionOptions& options)
      : a_(at::randn({units}, at::detail::createCPUGenerator(mix(options.seed, kFirst)),
                     at::TensorOptions(at::kDouble))),
        adam_{at::zeros({units}, at::kDouble), at::zeros({units}, at::kDouble)},
        margin_(at::zeros({units}, at::kDouble)),
        origin_(at::zeros({units}, at::kDouble)),
        rate_(kCrossings * 2 * kMost / static_cast<double>(options.ramp_steps)),
        dual_rate_(kDualRise / static_cast<double>(options.ramp_steps)) {
    a_ = kNoise * a_ + std::log((1 - kDropout) / kDropout);
    a_.requires_grad_(true);
  }

  at::Tensor scores(const LivingNetwork&) const override { return open_probability(a_.detach()); }
  bool gradual() const override { return false; }

  at::Tensor draw(int64_t samples, uint64_t seed) const override {
    constexpr double kLeast = 1e-6;  // as in the authors' program
    const at::Tensor u = at::rand({samples, a_.numel()}, at::detail::createCPUGenerator(seed),
                                  at::TensorOptions(at::kFloat))
                             .clamp(kLeast, 1 - kLeast);
    const at::Tensor s = at::sigmoid((at::logit(u) + a_.to(at::kFloat)) / kTau);
    const at::Tensor z = (s * (kZeta - kGamma) + kGamma).clamp(0, 1);  // [samples, units]
    return at::cat({z, at::ones({samples, 1}, at::kFloat)}, 1);
  }

  void constrain(const LivingNetwork& network, const std::vector<Limit>& limits) override {
    const std::vector<bool> expected = expected_network(network);
    const Cost cost = network.cost(expected);
    const Limit& limit = binding(cost, limits);
    const auto share = [&](const Cost& part) {
      return static_cast<double>(amount(part, limit.resource)) / static_cast<double>(limit.most);
    };
    const std::vector<Cost> costs = unit_costs(network.coupling, network.cost, expected);
    double* margin = margin_.data_ptr<double>();
    for (int unit = 0; unit < network.coupling.size(); ++unit)
      margin[unit] = share(costs[static_cast<size_t>(network.coupling.group_of(unit))]);
    origin_ = open_probability(a_.detach());
    excess_ = share(cost) - 1;
  }

  at::Tensor penalty(const LivingNetwork&) const override { return lambda_ * excess(); }

  void learn() override {
    const at::Tensor direction = adam_.direction(a_.grad());
    lambda_ = std::max(0.0, lambda_ + dual_rate_ * excess().item<double>());
    a_ = (a_.detach() - rate_ * direction).clamp(-kMost, kMost).requires_grad_(true);
  }

  std::map<std::string, at::Tensor> state() const override {
    return {{"a", a_.detach()},
            {"mean", adam_.mean},
            {"square", adam_.square},
            {"steps", at::full({1}, adam_.steps, at::kLong)},
            {"margin", margin_},
            {"origin", origin_},
            {"lambda", at::full({1}, lambda_, at::kDouble)},
            {"excess", at::full({1}, excess_, at::kDouble)}};
  }
  void load(const std::map<std::string, at::Tensor>& state) override {
    a_ = state.at("a").clone().requires_grad_(true);
    adam_ = {state.at("mean").clone(), state.at("square").clone(),
             state.at("steps").item<int64_t>()};
    margin_ = state.at("margin").clone();
    origin_ = state.at("origin").clone();
    lambda_ = state.at("lambda").item<double>();
    excess_ = state.at("excess").item<double>();
  }

 private:
  /// E cost / limit - 1, with autograd. [] float64
  at::Tensor excess() const { return (margin_ * (open_probability(a_) - origin_)).sum() + excess_; }

  /// Of each group as many units as are open on average, the likeliest.
  std::vector<bool> expected_network(const LivingNetwork& network) const {
    const at::Tensor open = open_probability(a_.detach());
    const double* p = open.const_data_ptr<double>();
    std::vector<bool> expected(network.alive.size(), false);
    for (const Group& group : network.coupling.groups()) {
      std::vector<int> units;
      double count = 0;
      for (const int unit : group.units)
        if (network.alive[static_cast<size_t>(unit)]) {
          units.push_back(unit);
          count += p[unit];
        }
      std::stable_sort(units.begin(), units.end(), [&](int x, int y) { return p[x] > p[y]; });
      units.resize(static_cast<size_t>(std::llround(count)));
      for (const int unit : units) expected[static_cast<size_t>(unit)] = true;
    }
    return expected;
  }

  at::Tensor a_;  ///< [units] float64, learned: log alpha
  Adam adam_;
  at::Tensor margin_, origin_;  ///< [units]: of the limit, what a unit costs; P at that time
  double excess_ = 0;           ///< E cost / limit - 1 at that time
  double lambda_ = 0;
  double rate_, dual_rate_;
};

const CriterionRegistration registration({"l0", [](const LivingNetwork& network,
                                                   const CriterionOptions& options) {
                                            return std::make_unique<L0>(network.coupling.size(),
                                                                        options);
                                          }});

}  // namespace

}  // namespace crrm
