#include "crrm/train/rounding.h"

#include <ATen/CPUGeneratorImpl.h>

#include <limits>

#include "crrm/surgery/cut.h"

namespace crrm {

Rounding fastest_rounding(const Graph& network, const Coupling& coupling, const Pricing& pricing,
                          const std::vector<Limit>& limits, const Reversal& reversal,
                          const at::Tensor& inputs, const GraphTimer& time) {
  constexpr double kPays = 0.95;
  constexpr std::chrono::milliseconds kPatience(300);
  const CostModel cost(network, coupling, pricing);
  const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
  const at::Tensor fisher = at::rand({coupling.size()}, at::detail::createCPUGenerator(0),
                                     at::TensorOptions(at::kDouble));
  Rounding best;
  double least = std::numeric_limits<double>::infinity();
  for (const int64_t multiple : {1, 4, 8, 16}) {
    const Rounding rounding{multiple};
    if (!within(smallest_cost(coupling, cost, rounding), limits)) continue;
    const at::Tensor weight = settled_weights(coupling, cost, all, fisher, limits, rounding);
    const std::vector<bool> alive =
        select(coupling, cost, all, fisher, weight, limits, rounding).alive;
    const Graph written = as_written(cut(network, coupling, alive), reversal);
    const double taken = time(written, {inputs}, kPatience);
    if (taken > kPays * least) continue;
    least = taken;
    best = rounding;
  }
  return best;
}

}  // namespace crrm
