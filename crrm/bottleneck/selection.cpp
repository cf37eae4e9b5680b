#include "crrm/bottleneck/selection.h"

#include "crrm/base/error.h"
#include "crrm/coupling/subsets.h"

namespace crrm {

namespace {

/// Units that close together, and their place in the order.
struct Closure {
  std::vector<int> units;
  double score = 0;
  bool stays = false;  ///< an axis would be empty without
};

/// The last of every axis that would otherwise be empty stays.
void protect(const Coupling& coupling, std::vector<Closure>& order) {
  std::vector<size_t> rank(static_cast<size_t>(coupling.size()));
  for (size_t i = 0; i < order.size(); ++i)
    for (const int unit : order[i].units) rank[static_cast<size_t>(unit)] = i;
  for (const std::vector<int>& units : coupling.axes()) {
    if (std::find(units.begin(), units.end(), Coupling::kStays) != units.end()) continue;
    size_t last = 0;
    for (const int unit : units) last = std::max(last, rank[static_cast<size_t>(unit)]);
    order[last].stays = true;
  }
}

/// What closes first in front: by Fisher information over weight; what is closed already comes
/// before.
/// @param fisher, weight  [units]
std::vector<Closure> in_order(const Coupling& coupling, const std::vector<bool>& alive,
                              const std::vector<double>& fisher,
                              const std::vector<double>& weight) {
  constexpr double kClosed = -1;
  std::vector<double> score(fisher.size());
  for (size_t u = 0; u < score.size(); ++u) score[u] = alive[u] ? fisher[u] / weight[u] : kClosed;
  std::vector<Closure> order;
  for (std::vector<int>& units : closures(coupling, score)) {
    double gain = 0, price = 0;
    for (const int unit : units) {
      gain += fisher[static_cast<size_t>(unit)];
      price += weight[static_cast<size_t>(unit)];
    }
    const bool closed = !alive[static_cast<size_t>(units.front())];
    order.push_back({std::move(units), closed ? kClosed : gain / price});
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Closure& a, const Closure& b) { return a.score < b.score; });
  protect(coupling, order);
  return order;
}

void set(std::vector<bool>& alive, const Closure& closure, bool value) {
  for (const int unit : closure.units) alive[static_cast<size_t>(unit)] = value;
}

/// `alive` without the first `count`.
std::vector<bool> without(std::vector<bool> alive, const std::vector<Closure>& order,
                          size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!order[i].stays) set(alive, order[i], false);
  return alive;
}

std::vector<double> to_numbers(const at::Tensor& tensor) {
  const at::Tensor x = tensor.to(at::kDouble).contiguous();
  return {x.data_ptr<double>(), x.data_ptr<double>() + x.numel()};
}

std::string obstacles(const Coupling& coupling) {
  std::vector<std::string> names;
  for (const FrozenAxis& axis : coupling.frozen()) {
    if (names.size() == 3) break;
    if (is_width(axis))
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
  at::Tensor weights = at::ones({coupling.size()}, at::kDouble);
  double* w = weights.data_ptr<double>();
  const std::vector<Cost> costs = unit_costs(coupling, cost, alive);
  for (int unit = 0; unit < coupling.size(); ++unit) {
    const int64_t margin = amount(costs[static_cast<size_t>(coupling.group_of(unit))], resource);
    w[unit] = static_cast<double>(std::max<int64_t>(margin, 1));
  }
  return coupling.size() == 0 ? weights : weights / weights.mean();
}

Selection select(const Coupling& coupling, const CostModel& cost, const std::vector<bool>& alive,
                 const at::Tensor& fisher, const at::Tensor& weight, Resource resource,
                 int64_t limit) {
  const std::vector<Closure> order =
      in_order(coupling, alive, to_numbers(fisher), to_numbers(weight));
  const auto fits = [&](const std::vector<bool>& living) {
    return amount(cost(living), resource) <= limit;
  };
  const std::vector<bool> least = without(alive, order, order.size());
  if (!fits(least))
    throw InputError({.place = resource == Resource::macs ? "--macs" : "--params",
                      .expected = fmt::format("at least {}, the smallest that can be reached",
                                              amount(cost(least), resource)),
                      .found = fmt::format("{}", limit),
                      .hint = obstacles(coupling)});
  size_t low = 0, high = order.size();  // the fewest closures that fit
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (fits(without(alive, order, middle)))
      high = middle;
    else
      low = middle + 1;
  }
  Selection selection{without(alive, order, low), 0};
  if (low > 0) selection.beta = std::max(0.0, order[low - 1].score);
  // The last closure may have saved more than was needed: what still fits comes back, best first.
  for (size_t i = low; i-- > 0;) {
    const size_t unit = static_cast<size_t>(order[i].units.front());
    if (selection.alive[unit] || !alive[unit]) continue;
    set(selection.alive, order[i], true);
    if (!fits(selection.alive)) set(selection.alive, order[i], false);
  }
  return selection;
}

Cost smallest_cost(const Coupling& coupling, const CostModel& cost) {
  const size_t units = static_cast<size_t>(coupling.size());
  const std::vector<bool> all(units, true);
  const std::vector<Closure> order =
      in_order(coupling, all, std::vector<double>(units, 1), std::vector<double>(units, 1));
  return cost(without(all, order, order.size()));
}

}  // namespace crrm
