#include "crrm/bottleneck/controller.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {

DropController::DropController(ControllerOptions options) : options_(options) {
  if (!(options.drop >= 0) || !(options.noise > 0) || !(options.deepest > 0) || !(options.ramp > 0))
    throw InternalError("a controller needs a drop >= 0 and noise, deepest and ramp > 0");
}

void DropController::observe(double time, double drop, double depth) {
  const double unit = std::max(options_.drop, 2 * options_.noise);
  const double fresh = (options_.drop - drop) / unit;
  const double before = begun_ ? slack_ : fresh;
  slack_ = options_.smoothing * before + (1 - options_.smoothing) * fresh;
  begun_ = true;
  const double error =
      options_.noise / unit * std::sqrt((1 - options_.smoothing) / (1 + options_.smoothing));
  const double wanted =
      options_.integral * (slack_ - error) + options_.proportional * (slack_ - before);
  depth_ = std::min(this->depth(time), depth);
  rate_ = options_.deepest / options_.ramp * std::clamp(wanted, 0.0, 1.0);
  time_ = time;
}

double DropController::depth(double time) const {
  return std::min(options_.deepest, depth_ + rate_ * std::max(0.0, time - time_));
}

nlohmann::ordered_json DropController::state() const {
  return {
      {"begun", begun_}, {"time", time_}, {"depth", depth_}, {"rate", rate_}, {"slack", slack_}};
}

void DropController::load(const nlohmann::ordered_json& state) {
  begun_ = state.at("begun");
  time_ = state.at("time");
  depth_ = state.at("depth");
  rate_ = state.at("rate");
  slack_ = state.at("slack");
}

}  // namespace crrm
