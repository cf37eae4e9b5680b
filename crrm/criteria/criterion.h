// How a compressing run ranks the units of a network, and how their gates behave until the budget
// is met: what crrm does, and what it is compared with. One file of this folder for each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crrm/bottleneck/selection.h"

namespace crrm {

/// The power of gates that are open or closed.
constexpr double kNoNoise = std::numeric_limits<double>::infinity();

/// What a criterion may look at.
struct LivingNetwork {
  const Graph& graph;  ///< with gates, as it is now: what was cut away is gone
  const Coupling& coupling;
  const CostModel& cost;
  const std::vector<bool>& compacted;  ///< units that `graph` has
  const std::vector<bool>& alive;      ///< those of them that are not closed
};

struct CriterionOptions {
  std::optional<double> power = {};  ///< of crrm: p of water_fill; none: no noise
  uint64_t seed = 0;                 ///< of what is drawn once
  int64_t ramp_steps = 1;            ///< steps in which the budget falls
};

class Criterion {
 public:
  /// Whose gradient by the gates, z = 1 where open, it looks at every few steps.
  enum class Probe {
    none,
    likelihood,  ///< Task::probe: the likelihood of outputs drawn from the model itself
    loss         ///< Task::loss, the mean over a batch
  };

  virtual ~Criterion() = default;

  virtual Probe probe() const { return Probe::none; }
  /// @param gradients  [N, units + 1]: that gradient, one row a sample
  virtual void observe(const at::Tensor& /*gradients*/) {}
  /// Whether it has seen what `scores` needs.
  virtual bool ready() const { return true; }

  /// The units close in ascending order of this, by `per_cost`. @return [units] float64, >= 0
  virtual at::Tensor scores(const LivingNetwork& network) const = 0;
  /// Whether it is the score over the unit's cost that ranks, or the score alone.
  virtual bool per_cost() const { return false; }

  /// Where scores are Fisher information: p of water_fill, the law of the open gates' noise, and
  /// kNoNoise. None elsewhere: an open gate is one.
  virtual std::optional<double> power() const { return std::nullopt; }

  /// Added to the loss until the budget is met; undefined: nothing.
  virtual at::Tensor penalty(const LivingNetwork& /*network*/) const { return {}; }

  /// Gates of its own for a batch, with autograd to what it learns; undefined: it learns none.
  /// @return [samples, units + 1], the last column ones; the draw depends on `seed` alone
  virtual at::Tensor draw(int64_t /*samples*/, uint64_t /*seed*/) const { return {}; }
  /// Whether units close along the ramp, or learned gates fall along it and all units close at its
  /// end.
  virtual bool gradual() const { return true; }
  /// What the network may cost from now on.
  virtual void constrain(const LivingNetwork& /*network*/, const std::vector<Limit>& /*limits*/) {}
  /// A step of what it learns, from the gradient that the loss has left.
  virtual void learn() {}

  /// What a checkpoint holds, and back.
  virtual std::map<std::string, at::Tensor> state() const { return {}; }
  virtual void load(const std::map<std::string, at::Tensor>& /*state*/) {}
};

/// A method by its name, as `crrm compress --method` takes it.
struct CriterionEntry {
  std::string name;
  std::function<std::unique_ptr<Criterion>(const LivingNetwork& network,
                                           const CriterionOptions& options)>
      make;
};

/// "crrm" first, the others sorted.
std::vector<std::string> criterion_names();
/// @throws InputError where `name` is unknown, or the network has nothing to rank by.
std::unique_ptr<Criterion> make_criterion(const std::string& name, const LivingNetwork& network,
                                          const CriterionOptions& options);

/// A static one of these in a criterion's source makes the program know it.
struct CriterionRegistration {
  explicit CriterionRegistration(CriterionEntry entry);
};

/// Sums over the elements of a parameter that each unit owns along one axis.
/// @param name    the parameter of `network.graph` whose shape `values` has
/// @return [units] float64; zero where no unit touches the axis. Follows autograd.
at::Tensor sum_by_unit(const LivingNetwork& network, const std::string& name, int64_t axis,
                       const at::Tensor& values);

}  // namespace crrm
