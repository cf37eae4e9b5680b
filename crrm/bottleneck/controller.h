// How far to compress where nobody can say beforehand how small the network can be.
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>

namespace crrm {

/// What is seen of a network on held-out data.
struct Observation {
  double time = 0;         ///< when the depth was set; not before the last one's
  double depth = 0;        ///< log(dense cost / cost), as it really is
  double drop = 0;         ///< of the metric, against the reference; negative: a gain
  double description = 1;  ///< length, of the dense network's (train/descent.h)
};

/// Sets the goal of the depth. What is closed stays closed, so the goal never falls.
class DepthController {
 public:
  virtual ~DepthController() = default;

  virtual void observe(const Observation& seen) = 0;
  /// The goal at a time since that of the last observation; 0 before the first.
  virtual double depth(double time) const = 0;
  /// Whether the state seen last is the one to return to.
  virtual bool keeps() const = 0;
  /// Whether a run that ends now returns to it.
  virtual bool astray() const = 0;

  virtual nlohmann::ordered_json state() const = 0;
  virtual void load(const nlohmann::ordered_json& state) = 0;
};

struct DropOptions {
  double drop = 0;          ///< of the metric, allowed; >= 0
  double noise = 0;         ///< standard error of one measured drop; > 0
  double deepest = 0;       ///< depth that can be reached; > 0
  double ramp = 1;          ///< time in which the fastest ramp reaches it; > 0
  double integral = 1;      ///< gain on the smoothed slack
  double proportional = 1;  ///< gain on its change from one measurement to the next
  double smoothing = 0.7;   ///< weight of the past in the slack
};

/// A limit on what is lost: proportional-integral control of the depth. The slack is what the drop
/// leaves of the allowed one, in units of that (but of no less than twice the noise); the depth
/// grows at a rate of
///   deepest / ramp * clamp(integral * slack + proportional * change of the slack, 0, 1),
/// so it falls to zero where the metric falls faster than training recovers it, and rests where the
/// limit is used up. Noise would drive a network that cannot go back ever deeper; so of the slack
/// one standard error is taken off first. The rate is never negative, nothing is summed while it is
/// clamped, and the goal never runs ahead of what was reached (no windup).
/// Source of the smoothing: nuPI, Sohrabi et al., ICML 2024, algorithm 1.
class DropController : public DepthController {
 public:
  explicit DropController(DropOptions options);

  void observe(const Observation& seen) override;
  double depth(double time) const override;
  bool keeps() const override { return kept_; }
  bool astray() const override { return !kept_; }
  nlohmann::ordered_json state() const override;
  void load(const nlohmann::ordered_json& state) override;

 private:
  DropOptions options_;
  bool begun_ = false, kept_ = false;
  double time_ = 0, depth_ = 0, rate_ = 0, slack_ = 0;
};

struct KneeOptions {
  double deepest = 0;      ///< as in DropOptions
  double ramp = 1;         ///< as in DropOptions
  double patience = 0.05;  ///< by which the description may exceed the shortest before it ends
};

/// The shortest description: down at a steady rate for as long as that can still be met, and back
/// to where it was.
class KneeController : public DepthController {
 public:
  explicit KneeController(KneeOptions options);

  void observe(const Observation& seen) override;
  double depth(double time) const override;
  bool keeps() const override { return last_ <= shortest_; }
  bool astray() const override { return last_ > shortest_; }
  nlohmann::ordered_json state() const override;
  void load(const nlohmann::ordered_json& state) override;

 private:
  KneeOptions options_;
  double time_ = 0, depth_ = 0, rate_ = 0, last_ = 1;
  double shortest_ = std::numeric_limits<double>::max();
};

}  // namespace crrm
