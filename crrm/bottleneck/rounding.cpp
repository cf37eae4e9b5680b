#include "crrm/bottleneck/rounding.h"

#include <array>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/coupling/subsets.h"

namespace crrm {

namespace {

constexpr std::array<int64_t, 3> kMultiples = {16, 8, 4};

class Rounding {
 public:
  Rounding(const Coupling& coupling, const std::vector<bool>& alive, const at::Tensor& score)
      : coupling_(coupling), closures_of_(coupling.axes().size()) {
    const at::Tensor numbers = score.to(at::kDouble).contiguous();
    if (numbers.numel() != coupling.size())
      throw InternalError(fmt::format("{} scores for {} units", numbers.numel(), coupling.size()));
    std::vector<double> order(numbers.data_ptr<double>(),
                              numbers.data_ptr<double>() + numbers.numel());
    // Closed ones are matched with closed ones.
    for (size_t u = 0; u < alive.size(); ++u)
      if (alive[u]) order[u] = std::numeric_limits<double>::infinity();
    for (std::vector<int>& units : closures(coupling, order))
      if (!alive[static_cast<size_t>(units.front())]) closed_.push_back(std::move(units));
    std::vector<int> closure_of(alive.size(), -1);
    std::vector<double> sums;
    for (size_t c = 0; c < closed_.size(); ++c) {
      sums.push_back(0);
      for (const int unit : closed_[c]) {
        sums[c] += order[static_cast<size_t>(unit)];
        closure_of[static_cast<size_t>(unit)] = static_cast<int>(c);
      }
    }
    for (size_t a = 0; a < closures_of_.size(); ++a) list_closures(a, closure_of, sums);
  }

  /// `alive` with the best closures of an axis opened until its width is a multiple; the same where
  /// there are not enough, where it is one, and where nothing of the axis lives.
  std::vector<bool> opened(std::vector<bool> alive, size_t axis, int64_t multiple) const {
    const std::vector<bool> before = alive;
    if (width(alive, axis) == 0) return before;
    for (const int closure : closures_of_[axis]) {
      if (width(alive, axis) % multiple == 0) return alive;
      for (const int unit : closed_[static_cast<size_t>(closure)])
        alive[static_cast<size_t>(unit)] = true;
    }
    return width(alive, axis) % multiple == 0 ? alive : before;
  }

 private:
  void list_closures(size_t axis, const std::vector<int>& closure_of,
                     const std::vector<double>& sums) {
    std::vector<int>& own = closures_of_[axis];
    for (const int unit : coupling_.axes()[axis]) {
      if (unit == Coupling::kStays) continue;
      const int closure = closure_of[static_cast<size_t>(unit)];
      if (closure >= 0 && std::find(own.begin(), own.end(), closure) == own.end())
        own.push_back(closure);
    }
    std::stable_sort(own.begin(), own.end(), [&](int a, int b) {
      return sums[static_cast<size_t>(a)] > sums[static_cast<size_t>(b)];
    });
  }

  int64_t width(const std::vector<bool>& alive, size_t axis) const {
    const std::vector<int>& units = coupling_.axes()[axis];
    return std::count_if(units.begin(), units.end(), [&](int unit) {
      return unit == Coupling::kStays || alive[static_cast<size_t>(unit)];
    });
  }

  const Coupling& coupling_;
  std::vector<std::vector<int>> closed_;       ///< closures
  std::vector<std::vector<int>> closures_of_;  ///< by axis, into closed_, best first
};

}  // namespace

std::vector<bool> rounded_up(const Coupling& coupling, const std::vector<bool>& alive,
                             const at::Tensor& score,
                             const std::function<double(const std::vector<bool>&)>& latency,
                             const std::function<bool(const std::vector<bool>&)>& allowed) {
  const Rounding rounding(coupling, alive, score);
  std::vector<bool> best = alive;
  double least = latency(best);
  const auto offer = [&](const std::vector<bool>& offered) {
    if (offered == best || !allowed(offered)) return false;
    const double time = latency(offered);
    if (time > least) return false;
    best = offered;
    least = time;
    return true;
  };
  // Where an operator gains only when inputs and outputs both fit, single axes do not show it.
  for (const int64_t multiple : kMultiples) {
    std::vector<bool> all = best;
    for (size_t axis = 0; axis < coupling.axes().size(); ++axis)
      all = rounding.opened(std::move(all), axis, multiple);
    offer(all);
  }
  for (bool changed = true; changed;) {  // ends: each change opens units
    changed = false;
    for (size_t axis = 0; axis < coupling.axes().size(); ++axis)
      for (const int64_t multiple : kMultiples)
        changed |= offer(rounding.opened(best, axis, multiple));
  }
  return best;
}

}  // namespace crrm
