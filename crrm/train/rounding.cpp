#include "crrm/train/rounding.h"

#include <ATen/CPUGeneratorImpl.h>

#include <limits>

#include "crrm/surgery/cut.h"

namespace crrm {

bool Candidate::can_keep_limits(Rounding rounding) const {
  return within(smallest_cost(coupling, CostModel(network, coupling, pricing), rounding), limits);
}

Graph Candidate::cut_to_limits(Rounding rounding) const {
  const CostModel cost(network, coupling, pricing);
  const auto written = [&](const std::vector<bool>& alive) {
    return as_written(cut(network, coupling, alive), reversal);
  };
  if (!can_keep_limits(rounding)) return written(smallest(coupling, cost, rounding));
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const at::Tensor fisher = at::rand({coupling.size()}, at::detail::createCPUGenerator(0),
                                     at::TensorOptions(at::kDouble));
  const at::Tensor weight = settled_weights(coupling, cost, all, fisher, limits, rounding);
  return written(select(coupling, cost, all, fisher, weight, limits, rounding).alive);
}

Rounding fastest_rounding(const Candidate& candidate, const at::Tensor& inputs,
                          const GraphTimer& time) {
  constexpr double kPays = 0.95;
  constexpr std::chrono::milliseconds kPatience(300);
  Rounding best;
  double least = std::numeric_limits<double>::infinity();
  for (const int64_t multiple : {1, 4, 8, 16}) {
    const Rounding rounding{multiple};
    if (!candidate.can_keep_limits(rounding)) continue;
    const double taken = time(candidate.cut_to_limits(rounding), {inputs}, kPatience);
    if (taken > kPays * least) continue;
    least = taken;
    best = rounding;
  }
  return best;
}

}  // namespace crrm
