#include "crrm/train/budget.h"

#include <algorithm>
#include <cmath>

namespace crrm {

Budget::Budget(const RunOptions& options, const GatedNetwork& network)
    : options_(options), network_(network), dense_(network.cost()) {}

Resource Budget::resource() const {
  if (!options_.limits.empty()) return binding(network_.cost(), options_.limits).resource;
  return options_.knee ? Resource::params : Resource::macs;
}

double Budget::depth() const {
  return std::log(static_cast<double>(dense(resource())) / static_cast<double>(now()));
}

double Budget::deepest() const {
  constexpr double kAlmost = 1.05;
  const int64_t least = amount(network_.smallest(), resource());
  const double all = static_cast<double>(dense(resource()));
  return std::max(std::log(all / (kAlmost * static_cast<double>(least))), 1e-9);
}

std::vector<Limit> Budget::goal(double share, const Descent* descent) const {
  std::vector<Limit> goal = options_.limits;
  if (goal.empty()) goal.push_back({resource(), 1});
  for (Limit& limit : goal) {
    const int64_t all = dense(limit.resource);
    const int64_t allowed =
        descent ? std::llround(static_cast<double>(all) * std::exp(-descent->depth(share)))
                : ramped_budget(options_.schedule, share, all, limit.most);
    limit.most = std::max(limit.most, allowed);
  }
  return goal;
}

}  // namespace crrm
