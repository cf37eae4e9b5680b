#include "crrm/train/drop_limit.h"

#include <cmath>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kAverage[] = "average/", kGood[] = "good/";

template <typename T>
Json json_of(const std::optional<T>& maybe) {
  return maybe ? Json(*maybe) : Json();
}

}  // namespace

DropLimit::DropLimit(const Graph& network, DropOptions options)
    : options_(options), average_(network, options.average_steps) {}

/// The noise that matters is that between one look and the next: of two networks that agree on most
/// of the same samples. With a quarter of the wrong answers changed it is half of a share's own.
void DropLimit::begin() {
  constexpr double kShared = 0.5;
  const double samples = static_cast<double>(reference_->samples);
  const double share = std::clamp(reference_->metric, 1 / samples, 1 - 1 / samples);
  controller_.emplace(ControllerOptions{.drop = options_.allowed,
                                        .noise = kShared * std::sqrt(share * (1 - share) / samples),
                                        .deepest = options_.deepest,
                                        .ramp = options_.ramp});
}

void DropLimit::observe(double time, double depth, const Evaluation& dense, const Graph& network,
                        const std::function<Evaluation(const Graph&)>& evaluate) {
  const Evaluation now = evaluate(average_.of(network));
  metric_ = now.metric;
  if (!reference_) {
    reference_ = now.metric < dense.metric ? now : dense;
    begin();
  }
  controller_->observe(time, reference_->metric - now.metric, depth);
  next_ = time + options_.every;
}

void DropLimit::save(TensorFile& checkpoint, Json& state) const {
  add_prefixed(checkpoint, kAverage, average_.state());
  add_prefixed(checkpoint, kGood, good_.tensors);
  state["drop_limit"] = {{"metric", json_of(metric_)},
                         {"next", next_},
                         {"reference", reference_ ? to_json(*reference_) : Json()},
                         {"controller", controller_ ? controller_->state() : Json()}};
}

void DropLimit::load(const TensorFile& checkpoint, const Json& state) {
  average_.load(with_prefix(checkpoint, kAverage));
  good_.tensors = with_prefix(checkpoint, kGood);
  const Json& own = state.at("drop_limit");
  next_ = own.at("next");
  if (!own.at("metric").is_null()) metric_ = own.at("metric").get<double>();
  if (own.at("reference").is_null()) return;
  reference_ = to_evaluation(own.at("reference"));
  begin();
  controller_->load(own.at("controller"));
}

}  // namespace crrm
