// How far to compress where the limit is on what the network loses: nobody can say beforehand.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace crrm {

struct ControllerOptions {
  double drop = 0;          ///< of the metric, allowed; >= 0
  double noise = 0;         ///< standard error of one measured drop; > 0
  double deepest = 0;       ///< depth that can be reached; > 0
  double ramp = 1;          ///< time in which the fastest ramp reaches it; > 0
  double integral = 1;      ///< gain on the smoothed slack
  double proportional = 1;  ///< gain on its change from one measurement to the next
  double smoothing = 0.7;   ///< weight of the past in the slack
};

/// Proportional-integral control of the depth, log(dense cost / goal). The slack is what the drop
/// leaves of the allowed one, in units of that (but of no less than twice the noise); the depth
/// grows at a rate of
///   deepest / ramp * clamp(integral * slack + proportional * change of the slack, 0, 1),
/// so it falls to zero where the metric falls faster than training recovers it, and rests where the
/// limit is used up. Noise would drive a network that cannot go back ever deeper; so of the slack
/// one standard error is taken off first. What is closed stays closed: the rate is never negative,
/// nothing is summed while it is clamped, and the goal never runs ahead of what was reached (no
/// windup).
/// Source of the smoothing: nuPI, Sohrabi et al., ICML 2024, algorithm 1.
class DropController {
 public:
  explicit DropController(ControllerOptions options);

  /// @param time   of the measurement, not before the last one's
  /// @param drop   reference less metric; negative: a gain
  /// @param depth  that the network really has; units are whole, so it may be ahead of the goal
  void observe(double time, double drop, double depth);

  /// The goal at a time since the last measurement; 0 before the first.
  double depth(double time) const;
  double slack() const { return slack_; }  ///< smoothed; < 0: the limit is exceeded

  nlohmann::ordered_json state() const;
  void load(const nlohmann::ordered_json& state);

 private:
  ControllerOptions options_;
  bool begun_ = false;
  double time_ = 0, depth_ = 0, rate_ = 0, slack_ = 0;
};

}  // namespace crrm
