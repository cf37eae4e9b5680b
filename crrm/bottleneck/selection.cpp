#include "crrm/bottleneck/selection.h"

#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

namespace {

/// The best unit of every axis that would otherwise be empty.
/// @param order  units, those to be closed first in front
std::vector<bool> protected_units(const Coupling& coupling, const std::vector<int>& order) {
  std::vector<size_t> rank(order.size());
  for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::vector<bool> keeps(order.size(), false);
  for (const std::vector<int>& units : coupling.axes()) {
    if (std::find(units.begin(), units.end(), Coupling::kStays) != units.end()) continue;
    keeps[*std::max_element(units.begin(), units.end(),
                            [&](int a, int b) { return rank[a] < rank[b]; })] = true;
  }
  return keeps;
}

std::vector<int> ascending(const std::vector<double>& score) {
  std::vector<int> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return score[a] < score[b]; });
  return order;
}

std::string obstacles(const Coupling& coupling) {
  std::vector<std::string> names;
  for (const FrozenAxis& axis : coupling.frozen()) {
    if (names.size() == 3) break;
    if (axis.member.axis < 2 && axis.reason.find("positions") == std::string::npos)
      names.push_back(
          fmt::format("{}[{}]: {}", axis.member.parameter, axis.member.axis, axis.reason));
  }
  return names.empty() ? "" : fmt::format("what stays whole: {}", fmt::join(names, "; "));
}

}  // namespace

int64_t amount(const Cost& cost, Resource resource) {
  return resource == Resource::macs ? cost.macs : cost.params;
}

at::Tensor unit_weights(const Coupling& coupling, const CostModel& cost,
                        const std::vector<bool>& alive, Resource resource) {
  const int64_t whole = amount(cost(alive), resource);
  at::Tensor weights = at::ones({coupling.size()}, at::kDouble);
  double* w = weights.data_ptr<double>();
  for (const Group& group : coupling.groups()) {  // units of a group touch the same axes
    std::vector<bool> changed = alive;
    const auto living =
        std::find_if(group.units.begin(), group.units.end(), [&](int unit) { return alive[unit]; });
    const int unit = living == group.units.end() ? group.units.front() : *living;
    changed[unit] = !changed[unit];
    const int64_t margin = std::abs(whole - amount(cost(changed), resource));
    for (const int member : group.units)
      w[member] = static_cast<double>(std::max<int64_t>(margin, 1));
  }
  return coupling.size() == 0 ? weights : weights / weights.mean();
}

Selection select(const Coupling& coupling, const CostModel& cost, const std::vector<bool>& alive,
                 const at::Tensor& fisher, const at::Tensor& weight, Resource resource,
                 int64_t limit) {
  const at::Tensor ratio = (fisher.to(at::kDouble) / weight.to(at::kDouble)).contiguous();
  std::vector<double> score(ratio.data_ptr<double>(), ratio.data_ptr<double>() + ratio.numel());
  for (size_t u = 0; u < score.size(); ++u)
    if (!alive[u]) score[u] = -1;  // closed already: in front
  const std::vector<int> order = ascending(score);
  const std::vector<bool> keeps = protected_units(coupling, order);
  const auto close_first = [&](size_t count) {
    std::vector<bool> living = alive;
    for (size_t i = 0; i < count; ++i)
      if (!keeps[order[i]]) living[order[i]] = false;
    return living;
  };
  const auto fits = [&](size_t count) {
    return amount(cost(close_first(count)), resource) <= limit;
  };
  if (!fits(order.size())) {
    const int64_t least = amount(cost(close_first(order.size())), resource);
    throw InputError(
        {.place = resource == Resource::macs ? "--macs" : "--params",
         .expected = fmt::format("at least {}, the smallest that can be reached", least),
         .found = fmt::format("{}", limit),
         .hint = obstacles(coupling)});
  }
  size_t low = 0, high = order.size();  // the fewest closures that fit
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (fits(middle))
      high = middle;
    else
      low = middle + 1;
  }
  Selection selection{close_first(low), 0};
  if (low > 0) selection.beta = std::max(0.0, score[order[low - 1]]);
  // The last closure may have saved more than was needed: what still fits comes back, best first.
  for (size_t i = low; i-- > 0;) {
    const int unit = order[i];
    if (selection.alive[unit] || !alive[unit]) continue;
    selection.alive[unit] = true;
    if (amount(cost(selection.alive), resource) > limit) selection.alive[unit] = false;
  }
  return selection;
}

Cost smallest_cost(const Coupling& coupling, const CostModel& cost) {
  std::vector<int> order(static_cast<size_t>(coupling.size()));
  std::iota(order.begin(), order.end(), 0);
  return cost(protected_units(coupling, order));
}

}  // namespace crrm
