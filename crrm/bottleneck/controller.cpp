#include "crrm/bottleneck/controller.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {

DropController::DropController(DropOptions options) : options_(options) {
  if (!(options.drop >= 0) || !(options.noise > 0) || !(options.deepest > 0) || !(options.ramp > 0))
    throw InternalError("a controller needs a drop >= 0 and noise, deepest and ramp > 0");
}

void DropController::observe(const Observation& seen) {
  const double unit = std::max(options_.drop, 2 * options_.noise);
  const double fresh = (options_.drop - seen.drop) / unit;
  const double before = begun_ ? slack_ : fresh;
  slack_ = options_.smoothing * before + (1 - options_.smoothing) * fresh;
  begun_ = true;
  kept_ = seen.drop <= options_.drop;
  const double error =
      options_.noise / unit * std::sqrt((1 - options_.smoothing) / (1 + options_.smoothing));
  const double wanted =
      options_.integral * (slack_ - error) + options_.proportional * (slack_ - before);
  depth_ = std::min(depth(seen.time), seen.depth);
  rate_ = options_.deepest / options_.ramp * std::clamp(wanted, 0.0, 1.0);
  time_ = seen.time;
}

double DropController::depth(double time) const {
  return std::min(options_.deepest, depth_ + rate_ * std::max(0.0, time - time_));
}

nlohmann::ordered_json DropController::state() const {
  return {{"begun", begun_}, {"kept", kept_}, {"time", time_},
          {"depth", depth_}, {"rate", rate_}, {"slack", slack_}};
}

void DropController::load(const nlohmann::ordered_json& state) {
  begun_ = state.at("begun");
  kept_ = state.at("kept");
  time_ = state.at("time");
  depth_ = state.at("depth");
  rate_ = state.at("rate");
  slack_ = state.at("slack");
}

KneeController::KneeController(KneeOptions options) : options_(options) {
  if (!(options.deepest > 0) || !(options.ramp > 0) || !(options.patience >= 0))
    throw InternalError("a controller needs deepest and ramp > 0 and patience >= 0");
}

void KneeController::observe(const Observation& seen) {
  last_ = seen.description;
  shortest_ = std::min(shortest_, last_);
  depth_ = std::min(depth(seen.time), seen.depth);
  // Below exp(-depth) of the size there is nothing to gain any more than that.
  const bool hopeless = last_ - std::exp(-seen.depth) > shortest_;
  rate_ = hopeless || last_ > shortest_ + options_.patience ? 0 : options_.deepest / options_.ramp;
  time_ = seen.time;
}

double KneeController::depth(double time) const {
  return std::min(options_.deepest, depth_ + rate_ * std::max(0.0, time - time_));
}

nlohmann::ordered_json KneeController::state() const {
  return {{"time", time_},
          {"depth", depth_},
          {"rate", rate_},
          {"last", last_},
          {"shortest", shortest_}};
}

void KneeController::load(const nlohmann::ordered_json& state) {
  time_ = state.at("time");
  depth_ = state.at("depth");
  rate_ = state.at("rate");
  last_ = state.at("last");
  shortest_ = state.at("shortest");
}

}  // namespace crrm
