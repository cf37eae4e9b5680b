// Whether a layer compresses late in training: a number for each seed and channel, and when they
// agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crrm {

/// What a curve over training does from where it is highest to its end.
struct LateChange {
  double mean = 0;           ///< over seeds, nats; below 0: it falls
  double low = 0, high = 0;  ///< 95 % interval over seeds, Student's t
  double greatest = 0;       ///< of the seed that falls least, nats
  int64_t seeds = 0;
  bool saturated = false;  ///< it ends near its ceiling, so a fall looks smaller than it is

  /// The interval excludes 0, and every seed agrees.
  bool falls() const { return high < 0 && greatest < 0; }
};

/// For each seed, last value less the value at the time at which the mean of the *other* seeds is
/// highest. Had each seed its own highest point, noise alone would make every curve fall; so it
/// does in about 4 % of cases at 5 seeds.
/// @param curves   [seeds >= 2][snapshots >= 1], nats, the same times for all
/// @param ceiling  what no value exceeds, such as ln n; saturated: at the end all values are above
///                 kSaturatedShare of it (estimators/noisy_channel.h)
/// @throws InternalError where the curves are not of one length.
LateChange late_change(const std::vector<std::vector<double>>& curves, double ceiling);

/// One way of looking at a layer.
struct ChannelChange {
  std::string channel;
  bool inside = false;  ///< the channel is part of the model: the curve is I(X;T)
  LateChange change;
};

struct LayerVerdict {
  std::string layer;
  bool falls = false;  ///< in every channel that counts, over however many seeds
  bool phase = false;  ///< it falls, and over kLeastSeeds or more
  std::string text;    ///< one sentence: what was seen, or what it depends on
};

/// Seeds below which no phase is claimed.
inline constexpr int64_t kLeastSeeds = 5;

/// A phase of compression is claimed where the curve falls in every channel of the sweep and in
/// every seed, each channel with an interval over kLeastSeeds seeds or more that excludes 0.
/// Channels inside the model need no sweep: they are judged alone, and those added for the analysis
/// then do not count.
LayerVerdict judge(const std::string& layer, const std::vector<ChannelChange>& sweep);

/// One sentence over all layers: which have a phase; else which fall, and why that claims nothing.
std::string sum_up(const std::vector<LayerVerdict>& layers, int64_t seeds);

}  // namespace crrm
