#include "crrm/coupling/subsets.h"

#include <random>

#include "crrm/base/error.h"
#include "crrm/coupling/removal.h"

namespace crrm {

namespace {

void set(std::vector<bool>& alive, const std::vector<int>& together, bool value) {
  for (const int unit : together) alive[static_cast<size_t>(unit)] = value;
}

int64_t living(const std::vector<int>& units, const std::vector<bool>& alive) {
  return std::count_if(units.begin(), units.end(), [&](int unit) {
    return unit == Coupling::kStays || alive[static_cast<size_t>(unit)];
  });
}

/// Keeps axes from losing all of their units.
class AxisKeeper {
 public:
  /// Keeps references.
  AxisKeeper(const Coupling& coupling, const std::vector<std::vector<int>>& closures)
      : coupling_(coupling),
        closure_of_(static_cast<size_t>(coupling.size())),
        removal_(coupling.graph(), coupling) {
    for (const std::vector<int>& together : closures)
      for (const int unit : together) closure_of_[static_cast<size_t>(unit)] = &together;
  }

  /// Brings back a closure for every axis that lost all.
  void keep_all(std::vector<bool>& alive) const {
    for (const std::vector<int>& axis : coupling_.axes())
      if (living(axis, alive) == 0)
        set(alive, *closure_of_[static_cast<size_t>(axis.front())], true);
  }

  /// The same, except for axes that may be empty.
  void keep_needed(std::vector<bool>& alive) const {
    const std::vector<bool> wanted = alive;
    keep_all(alive);
    for (const std::vector<int>& axis : coupling_.axes()) {
      if (living(axis, wanted) > 0) continue;
      std::vector<bool> tried = alive;
      for (const int unit : axis) set(tried, *closure_of_[static_cast<size_t>(unit)], false);
      if (removal_.possible(tried)) alive = std::move(tried);
    }
    alive = removal_.without_unread(std::move(alive));
  }

 private:
  const Coupling& coupling_;
  std::vector<const std::vector<int>*> closure_of_;  ///< by unit
  Removal removal_;
};

/// Of the axes that are empty the one that stands in the way, or the first.
const std::vector<int>& axis_to_keep(const Coupling& coupling, const Removal& removal,
                                     const std::vector<bool>& alive) {
  const std::vector<int>* first = nullptr;
  for (const std::vector<int>& axis : coupling.axes()) {
    if (living(axis, alive) > 0) continue;
    if (first == nullptr) first = &axis;
    std::vector<bool> tried = alive;
    set(tried, axis, true);
    if (removal.possible(tried)) return axis;
  }
  return *first;
}

class Draw {
 public:
  explicit Draw(uint64_t seed) : engine_(seed) {}
  double operator()() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // in [0, 1)

 private:
  std::mt19937_64 engine_;
};

}  // namespace

std::vector<std::vector<int>> closures(const Coupling& coupling, const std::vector<double>& score) {
  std::vector<std::vector<int>> result;
  std::vector<bool> matched(score.size(), false);
  const auto ascending = [&](int a, int b) { return score[a] < score[b]; };
  for (const EqualCount& equal : coupling.equal_counts()) {
    std::vector<std::vector<int>> blocks = equal.blocks;
    for (std::vector<int>& block : blocks) {
      std::stable_sort(block.begin(), block.end(), ascending);
      for (const int unit : block) matched[static_cast<size_t>(unit)] = true;
    }
    for (size_t i = 0; i < blocks[0].size(); ++i) {
      std::vector<int>& together = result.emplace_back();
      for (const std::vector<int>& block : blocks) together.push_back(block[i]);
    }
  }
  for (int unit = 0; unit < coupling.size(); ++unit)
    if (!matched[static_cast<size_t>(unit)]) result.push_back({unit});
  return result;
}

std::vector<bool> random_subset(const Coupling& coupling, double removed, uint64_t seed) {
  Draw draw(seed);
  std::vector<double> order(static_cast<size_t>(coupling.size()));
  std::generate(order.begin(), order.end(), [&] { return draw(); });
  const std::vector<std::vector<int>> sets = closures(coupling, order);
  std::vector<bool> alive(order.size(), true);
  for (const std::vector<int>& together : sets)
    if (draw() < removed) set(alive, together, false);
  AxisKeeper(coupling, sets).keep_needed(alive);
  return alive;
}

void check_subset(const Coupling& coupling, const std::vector<bool>& alive,
                  const std::string& origin) {
  const auto group_of = [&](int unit) {
    return coupling.groups()[static_cast<size_t>(coupling.group_of(unit))].name;
  };
  const Removal removal(coupling.graph(), coupling);
  if (const std::string obstacle = removal(alive).obstacle; !obstacle.empty())
    throw InputError({.file = origin,
                      .place = group_of(axis_to_keep(coupling, removal, alive).front()),
                      .expected = "at least one unit that stays",
                      .found = "none",
                      .hint = obstacle});
  for (const EqualCount& equal : coupling.equal_counts())
    for (const std::vector<int>& block : equal.blocks)
      if (living(block, alive) != living(equal.blocks[0], alive))
        throw InputError(
            {.file = origin,
             .place = group_of(block.front()),
             .expected = fmt::format("equally many units of each of {} blocks: a convolution in "
                                     "groups reads them",
                                     equal.blocks.size()),
             .found =
                 fmt::format("{} and {}", living(equal.blocks[0], alive), living(block, alive))});
}

std::vector<std::vector<bool>> trial_subsets(const Coupling& coupling, int single, int random,
                                             uint64_t seed) {
  const size_t units = static_cast<size_t>(coupling.size());
  const std::vector<std::vector<int>> sets = closures(coupling, std::vector<double>(units, 0));
  const AxisKeeper keeper(coupling, sets);
  std::vector<std::vector<bool>> result{std::vector<bool>(units, true)};
  result.emplace_back(units, false);
  const size_t every = std::max<size_t>(1, sets.size() / static_cast<size_t>(std::max(single, 1)));
  for (size_t i = 0; single > 0 && i < sets.size(); i += every) {
    set(result.emplace_back(units, true), sets[i], false);
    set(result.emplace_back(units, false), sets[i], true);
  }
  for (std::vector<bool>& alive : result) keeper.keep_needed(alive);
  keeper.keep_all(result.emplace_back(units, false));
  for (int i = 0; i < random; ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    const double removed = (0.5 + i) / random;  // from hardly any to nearly all
    result.push_back(random_subset(coupling, removed, own));
  }
  return result;
}

}  // namespace crrm
