#include "crrm/measure/width_table.h"

#include <array>
#include <cmath>
#include <numeric>

#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr std::array<int64_t, 4> kAlignments = {16, 8, 4, 1};

/// Two neighbours on an axis and the weight of the second.
struct Bracket {
  size_t low, high;
  double share;
};

Bracket bracket(const std::vector<int64_t>& widths, int64_t at) {
  std::vector<size_t> alike;  // of the same alignment; all where there is none
  for (size_t i = 0; i < widths.size(); ++i)
    if (alignment(widths[i]) == alignment(at)) alike.push_back(i);
  if (alike.empty()) {
    alike.resize(widths.size());
    std::iota(alike.begin(), alike.end(), size_t{0});
  }
  if (at <= widths[alike.front()]) return {alike.front(), alike.front(), 0};
  if (at >= widths[alike.back()]) return {alike.back(), alike.back(), 0};
  const size_t above = static_cast<size_t>(
      std::find_if(alike.begin(), alike.end(), [&](size_t i) { return widths[i] > at; }) -
      alike.begin());
  const size_t low = alike[above - 1], high = alike[above];
  return {low, high,
          static_cast<double>(at - widths[low]) / static_cast<double>(widths[high] - widths[low])};
}

}  // namespace

int64_t alignment(int64_t width) {
  return *std::find_if(kAlignments.begin(), kAlignments.end(),
                       [&](int64_t block) { return width % block == 0; });
}

std::vector<int64_t> widths_to_measure(const std::vector<int64_t>& widths) {
  std::vector<int64_t> chosen;
  for (const int64_t block : kAlignments) {
    std::vector<int64_t> alike;
    for (const int64_t width : widths)
      if (alignment(width) == block) alike.push_back(width);
    if (alike.empty()) continue;
    const double middle = std::sqrt(static_cast<double>(alike.front() * alike.back()));
    const auto off = [&](int64_t width) { return std::abs(static_cast<double>(width) - middle); };
    chosen.insert(chosen.end(),
                  {alike.front(), alike.back(),
                   *std::min_element(alike.begin(), alike.end(),
                                     [&](int64_t a, int64_t b) { return off(a) < off(b); })});
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

WidthTable::WidthTable(std::vector<std::vector<int64_t>> widths, std::vector<double> times)
    : widths_(std::move(widths)), times_(std::move(times)) {
  size_t points = 1;
  for (const std::vector<int64_t>& axis : widths_) {
    if (points <= times_.size()) points *= axis.size();  // else there are too few in any case
    if (axis.empty() || axis.front() < 1 ||
        std::adjacent_find(axis.begin(), axis.end(), std::greater_equal<>()) != axis.end())
      throw InputError({.place = "table of latencies",
                        .expected = "ascending widths, 1 or more",
                        .found = fmt::format("{}", fmt::join(axis, ", "))});
  }
  if (times_.size() != points)
    throw InputError({.place = "table of latencies",
                      .expected = fmt::format("{} times", points),
                      .found = fmt::format("{}", times_.size())});
}

double WidthTable::operator()(const std::vector<int64_t>& at) const {
  if (at.size() != widths_.size())
    throw InternalError(fmt::format("{} widths for a table of {} axes", at.size(), widths_.size()));
  if (std::any_of(at.begin(), at.end(), [](int64_t width) { return width <= 0; })) return 0;
  std::vector<std::pair<size_t, double>> corners = {{0, 1.0}};  // index into times_, weight
  for (size_t a = 0; a < at.size(); ++a) {
    const Bracket found = bracket(widths_[a], at[a]);
    std::vector<std::pair<size_t, double>> finer;
    for (const auto& [index, weight] : corners) {
      const size_t base = index * widths_[a].size();
      finer.emplace_back(base + found.low, weight * (1 - found.share));
      if (found.share > 0) finer.emplace_back(base + found.high, weight * found.share);
    }
    corners = std::move(finer);
  }
  double time = 0;
  for (const auto& [index, weight] : corners) time += weight * times_[index];
  return time;
}

}  // namespace crrm
