#include "crrm/phases/late_change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/estimators/noisy_channel.h"

namespace crrm {

namespace {

/// Two-sided 95 % quantile of Student's t; of the normal law above the table.
double student_975(int64_t freedom) {
  constexpr std::array<double, 20> kTable = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365,
                                             2.306,  2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
                                             2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
  return freedom <= static_cast<int64_t>(kTable.size()) ? kTable[static_cast<size_t>(freedom - 1)]
                                                        : kNormal975;
}

/// When the mean of all curves but one is highest: the first such time.
size_t peak_without(const std::vector<std::vector<double>>& curves, size_t left_out) {
  std::vector<double> sum(curves[0].size(), 0);
  for (size_t s = 0; s < curves.size(); ++s)
    for (size_t t = 0; s != left_out && t < sum.size(); ++t) sum[t] += curves[s][t];
  return static_cast<size_t>(std::max_element(sum.begin(), sum.end()) - sum.begin());
}

std::string described(const ChannelChange& seen) {
  const LateChange& c = seen.change;
  return fmt::format("{}: {:+.3f} nats [{:+.3f}, {:+.3f}]{}{}", seen.channel, c.mean, c.low, c.high,
                     c.high < 0 && !c.falls() ? ", not in every seed" : "",
                     c.saturated ? ", saturated" : "");
}

std::vector<ChannelChange> decisive(const std::vector<ChannelChange>& sweep) {
  std::vector<ChannelChange> inside;
  for (const ChannelChange& seen : sweep)
    if (seen.inside) inside.push_back(seen);
  return inside.empty() ? sweep : inside;
}

/// Names of the layers of which `property` holds, with commas between.
std::string layers_where(const std::vector<LayerVerdict>& layers, bool LayerVerdict::*property) {
  std::vector<std::string> found;
  for (const LayerVerdict& verdict : layers)
    if (verdict.*property) found.push_back(verdict.layer);
  return fmt::format("{}", fmt::join(found, ", "));
}

std::vector<std::string> channels_where(const std::vector<ChannelChange>& sweep, bool falls) {
  std::vector<std::string> found;
  for (const ChannelChange& seen : sweep)
    if (seen.change.falls() == falls) found.push_back(described(seen));
  return found;
}

}  // namespace

LateChange late_change(const std::vector<std::vector<double>>& curves, double ceiling) {
  const size_t seeds = curves.size();
  if (seeds < 2) throw InternalError("a late change needs two seeds");
  std::vector<double> changes;
  bool saturated = true;
  for (size_t s = 0; s < seeds; ++s) {
    if (curves[s].empty() || curves[s].size() != curves[0].size())
      throw InternalError("curves of several lengths");
    changes.push_back(curves[s].back() - curves[s][peak_without(curves, s)]);
    saturated = saturated && curves[s].back() >= kSaturatedShare * ceiling;
  }
  const double n = static_cast<double>(seeds);
  const double mean = std::accumulate(changes.begin(), changes.end(), 0.0) / n;
  double squares = 0;
  for (const double change : changes) squares += (change - mean) * (change - mean);
  const double half =
      student_975(static_cast<int64_t>(seeds) - 1) * std::sqrt(squares / (n - 1) / n);
  return {.mean = mean,
          .low = mean - half,
          .high = mean + half,
          .greatest = *std::max_element(changes.begin(), changes.end()),
          .seeds = static_cast<int64_t>(seeds),
          .saturated = saturated};
}

LayerVerdict judge(const std::string& layer, const std::vector<ChannelChange>& sweep) {
  const std::vector<ChannelChange> looked = decisive(sweep);
  const std::vector<std::string> falls = channels_where(looked, true);
  const std::vector<std::string> others = channels_where(looked, false);
  LayerVerdict verdict{
      .layer = layer, .falls = others.empty() && !falls.empty(), .phase = false, .text = ""};
  const int64_t seeds = looked.empty() ? 0 : looked[0].change.seeds;
  if (looked.empty() || falls.empty()) {
    verdict.text = fmt::format("no fall ({})", fmt::join(others, "; "));
  } else if (!others.empty()) {
    verdict.text = fmt::format("depends on the channel: falls ({}), does not ({})",
                               fmt::join(falls, "; "), fmt::join(others, "; "));
  } else if (seeds < kLeastSeeds) {
    verdict.text = fmt::format("falls ({}), but over {} seeds only: {} are needed for a claim",
                               fmt::join(falls, "; "), seeds, kLeastSeeds);
  } else {
    verdict.phase = true;
    verdict.text = fmt::format("{} ({})", looked[0].inside ? "I(X;T) falls" : "clusters late",
                               fmt::join(falls, "; "));
  }
  return verdict;
}

std::string sum_up(const std::vector<LayerVerdict>& layers, int64_t seeds) {
  const std::string claimed = layers_where(layers, &LayerVerdict::phase);
  if (!claimed.empty()) return "late fall in every channel and over all seeds: " + claimed;
  const std::string falling = layers_where(layers, &LayerVerdict::falls);
  if (!falling.empty())
    return fmt::format("late fall in {}, but {} seeds claim nothing: {} are needed", falling, seeds,
                       kLeastSeeds);
  return "no layer falls late in every channel and over all seeds";
}

}  // namespace crrm
