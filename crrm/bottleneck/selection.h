// Which units a budget leaves alive: given the Fisher information, the water level that meets the
// network's true cost is found exactly.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "crrm/bottleneck/limit.h"

namespace crrm {

/// What one unit costs at the margin of the network that is alive, relative to the mean over units.
/// @return [units] float64, > 0
at::Tensor unit_weights(const Coupling& coupling, const CostModel& cost,
                        const std::vector<bool>& alive, Resource resource);

/// How many units of a group may stay: multiples, or all. What runs networks computes channels in
/// blocks, and other widths slowly.
struct Rounding {
  int64_t multiple = 1;
};

struct Selection {
  std::vector<bool> alive;
  double beta = 0;  ///< the water level: every closed unit that is still read has F <= beta w
};

/// Closes units in the order of F / w until the true cost keeps all limits; what was closed and
/// still fits comes back, best first. Of every axis that may not be empty, the unit with the
/// largest F / w stays. Where an axis may be (coupling/removal.h), its last unit closes as any
/// other, and with it the units that nobody reads any more.
/// @param alive     units that may stay; what is already closed stays closed
/// @param fisher    [units], weight [units]
/// @param rounding  units of a group close in sets that leave such counts
/// @throws InputError naming the smallest cost that can be reached, when a limit is below it.
Selection select(const Coupling& coupling, const CostModel& cost, const std::vector<bool>& alive,
                 const at::Tensor& fisher, const at::Tensor& weight,
                 const std::vector<Limit>& limits, Rounding rounding = {});

/// What units cost at the network that these weights would leave, when `limits` are met: a fixed
/// point of unit_weights and `select`. The cost of two layers in a row is a product of their
/// widths, so that weights taken before anything is closed would close one of them alone, and
/// closing it makes the other one cheaper still. Of the fixed points that are found from different
/// beginnings, the one whose closed units have the least Fisher information together.
at::Tensor settled_weights(const Coupling& coupling, const CostModel& cost,
                           const std::vector<bool>& alive, const at::Tensor& fisher,
                           const std::vector<Limit>& limits, Rounding rounding = {});

/// The units that stay where every one is closed that may close, in the network's order.
std::vector<bool> smallest(const Coupling& coupling, const CostModel& cost, Rounding rounding = {});
/// What they cost: no budget below it can be met.
Cost smallest_cost(const Coupling& coupling, const CostModel& cost, Rounding rounding = {});

}  // namespace crrm
