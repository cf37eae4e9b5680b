#include "crrm/bottleneck/selection.h"

#include <limits>
#include <map>
#include <set>

#include "crrm/base/error.h"
#include "crrm/coupling/subsets.h"

namespace crrm {

namespace {

constexpr double kClosed = -1;  // the score of what is

/// Units that close together, and their place in the order.
struct Closure {
  std::vector<int> units;
  double score = 0;
  bool stays = false;  ///< an axis would be empty that may not be; or it goes with another closure
};

void set(std::vector<bool>& alive, const Closure& closure, bool value) {
  for (const int unit : closure.units) alive[static_cast<size_t>(unit)] = value;
}

/// Walks an order of closures and decides what becomes of those that would empty an axis.
class Walk {
 public:
  /// Keeps references. @param alive  what is closed already stays closed
  Walk(const Coupling& coupling, const Removal& removal, const std::vector<bool>& alive,
       std::vector<Closure>& order)
      : removal_(removal),
        alive_(alive),
        order_(order),
        axes_of_(alive.size()),
        living_(coupling.axes().size()),
        place_(alive.size()) {
    for (size_t a = 0; a < living_.size(); ++a)
      for (const int unit : coupling.axes()[a]) {
        if (unit != Coupling::kStays) axes_of_[static_cast<size_t>(unit)].push_back(a);
        living_[a] += unit == Coupling::kStays || alive[static_cast<size_t>(unit)];
      }
    for (size_t i = 0; i < order.size(); ++i)
      for (const int unit : order[i].units) place_[static_cast<size_t>(unit)] = i;
  }

  void run() {
    for (size_t i = 0; i < order_.size(); ++i) {
      if (order_[i].stays || !lives(order_[i])) continue;
      std::vector<bool> next = alive_;
      set(next, order_[i], false);
      if (!empties_an_axis(order_[i]) || may_close(i, next))
        close(i, next);
      else
        order_[i].stays = true;
    }
  }

 private:
  bool lives(const Closure& closure) const {
    return std::any_of(closure.units.begin(), closure.units.end(),
                       [&](int unit) { return alive_[static_cast<size_t>(unit)]; });
  }

  bool empties_an_axis(const Closure& closure) const {
    std::map<size_t, int> lost;
    for (const int unit : closure.units)
      for (const size_t axis : axes_of_[static_cast<size_t>(unit)]) ++lost[axis];
    return std::any_of(lost.begin(), lost.end(),
                       [&](const auto& entry) { return entry.second == living_[entry.first]; });
  }

  /// Alone, or with what stays so far for the sake of the same axes.
  /// @param next  without the closure; on return also without what goes with it
  bool may_close(size_t i, std::vector<bool>& next) const {
    if (!removal_.possible(next)) {
      std::set<size_t> axes;
      for (const int unit : order_[i].units)
        axes.insert(axes_of_[static_cast<size_t>(unit)].begin(),
                    axes_of_[static_cast<size_t>(unit)].end());
      for (size_t k = 0; k < i; ++k)
        if (order_[k].stays && touches(order_[k], axes)) set(next, order_[k], false);
      if (!removal_.possible(next)) return false;
    }
    next = removal_.without_unread(std::move(next));
    return true;
  }

  bool touches(const Closure& closure, const std::set<size_t>& axes) const {
    return std::any_of(closure.units.begin(), closure.units.end(), [&](int unit) {
      const std::vector<size_t>& own = axes_of_[static_cast<size_t>(unit)];
      return std::any_of(own.begin(), own.end(), [&](size_t axis) { return axes.contains(axis); });
    });
  }

  /// What closes with closure `i` becomes a part of it.
  void close(size_t i, const std::vector<bool>& next) {
    for (size_t unit = 0; unit < next.size(); ++unit) {
      if (!alive_[unit] || next[unit]) continue;
      for (const size_t axis : axes_of_[unit]) --living_[axis];
      if (place_[unit] == i) continue;
      order_[place_[unit]].stays = true;
      order_[i].units.push_back(static_cast<int>(unit));
    }
    alive_ = next;
  }

  const Removal& removal_;
  std::vector<bool> alive_;
  std::vector<Closure>& order_;
  std::vector<std::vector<size_t>> axes_of_;  ///< by unit, an axis as often as it has the unit
  std::vector<int64_t> living_;               ///< by axis
  std::vector<size_t> place_;                 ///< by unit, in the order
};

/// Joins the closures of each group, in their order, so that after each a multiple stays.
std::vector<Closure> in_multiples(const Coupling& coupling, const std::vector<Closure>& order,
                                  int64_t multiple, const std::vector<double>& fisher,
                                  const std::vector<double>& weight) {
  std::map<int, std::vector<const Closure*>> groups;
  for (const Closure& closure : order)
    groups[coupling.group_of(closure.units.front())].push_back(&closure);
  std::vector<Closure> joined;
  for (const auto& [group, closures] : groups) {
    const size_t k = static_cast<size_t>(multiple);
    size_t next = closures.size() % k == 0 ? k : closures.size() % k;  // where the set ends
    Closure set;
    double gain = 0, price = 0;
    for (size_t i = 0; i < closures.size(); ++i) {
      for (const int unit : closures[i]->units) {
        set.units.push_back(unit);
        gain += fisher[static_cast<size_t>(unit)];
        price += weight[static_cast<size_t>(unit)];
      }
      if (i + 1 < next) continue;
      set.score = closures[i]->score == kClosed ? kClosed : gain / price;
      joined.push_back(std::exchange(set, {}));
      gain = price = 0;
      next += k;
    }
  }
  return joined;
}

/// What closes first in front: by Fisher information over weight; what is closed already comes
/// before.
/// @param fisher, weight  [units]
std::vector<Closure> in_order(const Coupling& coupling, const Removal& removal,
                              const std::vector<bool>& alive, const std::vector<double>& fisher,
                              const std::vector<double>& weight, Rounding rounding) {
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
  const auto sort = [&] {
    std::stable_sort(order.begin(), order.end(),
                     [](const Closure& a, const Closure& b) { return a.score < b.score; });
  };
  sort();
  if (rounding.multiple > 1) {
    order = in_multiples(coupling, order, rounding.multiple, fisher, weight);
    sort();
  }
  Walk(coupling, removal, alive, order).run();
  return order;
}

/// `alive` without the first `count`.
std::vector<bool> without(std::vector<bool> alive, const std::vector<Closure>& order,
                          size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!order[i].stays) set(alive, order[i], false);
  return alive;
}

/// Whether the network can be cut so, and something reads every living unit.
bool is_read(const Removal& removal, const std::vector<bool>& alive) {
  return removal.possible(alive) && removal.without_unread(alive) == alive;
}

std::vector<double> to_numbers(const at::Tensor& tensor) {
  const at::Tensor x = tensor.to(at::kDouble).contiguous();
  return {x.data_ptr<double>(), x.data_ptr<double>() + x.numel()};
}

/// To the last digit, for whoever passes it on as a limit.
std::string exactly(int64_t amount, Resource resource) {
  return fmt::format("{} ({})", amount, describe(amount, resource));
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
                 const at::Tensor& fisher, const at::Tensor& weight,
                 const std::vector<Limit>& limits, Rounding rounding) {
  std::vector<Closure> order =
      in_order(coupling, cost.removal(), alive, to_numbers(fisher), to_numbers(weight), rounding);
  const auto fits = [&](const std::vector<bool>& living) { return within(cost(living), limits); };
  std::vector<bool> least = without(alive, order, order.size());
  if (!fits(least)) {  // of parallel branches the dearer one may have stayed: as smallest_cost goes
    const std::vector<double> ones(alive.size(), 1);
    order = in_order(coupling, cost.removal(), alive, ones, ones, rounding);
    least = without(alive, order, order.size());
  }
  if (!fits(least)) {
    const Limit& missed = binding(cost(least), limits);
    throw InputError(
        {.place = option(missed.resource),
         .expected = fmt::format("at least {}, the smallest that can be reached",
                                 exactly(amount(cost(least), missed.resource), missed.resource)),
         .found = exactly(missed.most, missed.resource),
         .hint = obstacles(coupling)});
  }
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
  // In multiples, what is behind a set that does not fit must not come back without it.
  std::set<int> stuck;
  for (size_t i = low; i-- > 0;) {
    const size_t unit = static_cast<size_t>(order[i].units.front());
    const int group = coupling.group_of(order[i].units.front());
    if (selection.alive[unit] || !alive[unit] || stuck.contains(group)) continue;
    set(selection.alive, order[i], true);
    if (fits(selection.alive) && is_read(cost.removal(), selection.alive)) continue;
    set(selection.alive, order[i], false);
    if (rounding.multiple > 1) stuck.insert(group);
  }
  return selection;
}

at::Tensor settled_weights(const Coupling& coupling, const CostModel& cost,
                           const std::vector<bool>& alive, const at::Tensor& fisher,
                           const std::vector<Limit>& limits, Rounding rounding) {
  constexpr int kRounds = 8;
  const auto weights_at = [&](const std::vector<bool>& living) {
    return unit_weights(coupling, cost, living, binding(cost(alive), limits).resource);
  };
  const std::vector<double> information = to_numbers(fisher);
  const auto lost = [&](const std::vector<bool>& living) {
    double sum = 0;
    for (size_t u = 0; u < information.size(); ++u)
      if (alive[u] && !living[u]) sum += information[u];
    return sum;
  };
  at::Tensor best;
  double least = std::numeric_limits<double>::infinity();
  for (at::Tensor weight : {weights_at(alive), at::ones({coupling.size()}, at::kDouble)}) {
    std::vector<bool> before;
    for (int round = 0; round < kRounds; ++round) {
      const std::vector<bool> living =
          select(coupling, cost, alive, fisher, weight, limits, rounding).alive;
      if (const double sum = lost(living); sum < least) {
        least = sum;
        best = weight;
      }
      if (living == before) break;
      before = living;
      weight = at::sqrt(weight * weights_at(living));  // half the way: the map may oscillate
    }
  }
  return best;
}

std::vector<bool> smallest(const Coupling& coupling, const CostModel& cost, Rounding rounding) {
  const size_t units = static_cast<size_t>(coupling.size());
  const std::vector<bool> all(units, true);
  const std::vector<Closure> order =
      in_order(coupling, cost.removal(), all, std::vector<double>(units, 1),
               std::vector<double>(units, 1), rounding);
  return without(all, order, order.size());
}

Cost smallest_cost(const Coupling& coupling, const CostModel& cost, Rounding rounding) {
  return cost(smallest(coupling, cost, rounding));
}

}  // namespace crrm
