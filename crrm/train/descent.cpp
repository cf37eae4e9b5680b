#include "crrm/train/descent.h"

#include <cmath>

#include "crrm/base/error.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kAverage[] = "average/", kGood[] = "good/";

template <typename T>
Json json_of(const std::optional<T>& maybe) {
  return maybe ? Json(*maybe) : Json();
}

/// The noise that matters is that between one look and the next: of two networks that agree on most
/// of the same samples. With a quarter of the wrong answers changed it is half of a share's own.
double noise_of(const Evaluation& reference) {
  constexpr double kShared = 0.5;
  const double samples = static_cast<double>(reference.samples);
  const double share = (reference.metric * samples + 1) / (samples + 2);  // never 0 or 1
  return kShared * std::sqrt(share * (1 - share) / samples);
}

}  // namespace

double description_length(double size, double loss, double reference_loss, double blank_loss) {
  return size + (loss - reference_loss) / (blank_loss - reference_loss);
}

Descent::Descent(const Graph& network, DescentOptions options)
    : options_(options), average_(network, options.average_steps) {}

void Descent::begin() {
  if (options_.max_drop)
    controller_ = std::make_unique<DropController>(DropOptions{.drop = *options_.max_drop,
                                                               .noise = noise_of(*reference_),
                                                               .deepest = options_.deepest,
                                                               .ramp = options_.ramp});
  else
    controller_ = std::make_unique<KneeController>(
        KneeOptions{.deepest = options_.deepest, .ramp = options_.ramp});
}

void Descent::observe(const Now& now, const Evaluation& dense,
                      const std::function<Evaluation(const Graph&)>& evaluate) {
  const Evaluation seen = evaluate(average_.of(now.network));
  metric_ = seen.metric;
  if (!reference_) {
    reference_ = options_.max_drop && dense.metric <= seen.metric ? dense : seen;
    if (!options_.max_drop && reference_->loss >= options_.blank_loss)
      throw InputError({.place = "held-out data",
                        .expected = "a network that tells something about them",
                        .found = fmt::format("a loss of {:.3g}, and {:.3g} for telling nothing",
                                             reference_->loss, options_.blank_loss),
                        .hint = "give a limit, such as --macs 50%"});
    begin();
  }
  controller_->observe({.time = now.settled,
                        .depth = now.depth,
                        .drop = reference_->metric - seen.metric,
                        .description = description_length(now.size, seen.loss, reference_->loss,
                                                          options_.blank_loss)});
  next_ = now.time + options_.every;
}

std::optional<double> Descent::lowest() const {
  if (!options_.max_drop || !reference_) return std::nullopt;
  return reference_->metric - *options_.max_drop;
}

void Descent::save(TensorFile& checkpoint, Json& state) const {
  add_prefixed(checkpoint, kAverage, average_.state());
  add_prefixed(checkpoint, kGood, good_.tensors);
  state["descent"] = {{"metric", json_of(metric_)},
                      {"next", next_},
                      {"reference", reference_ ? to_json(*reference_) : Json()},
                      {"controller", controller_ ? controller_->state() : Json()}};
}

void Descent::load(const TensorFile& checkpoint, const Json& state) {
  average_.load(with_prefix(checkpoint, kAverage));
  good_.tensors = with_prefix(checkpoint, kGood);
  const Json& own = state.at("descent");
  next_ = own.at("next");
  if (!own.at("metric").is_null()) metric_ = own.at("metric").get<double>();
  if (own.at("reference").is_null()) return;
  reference_ = to_evaluation(own.at("reference"));
  begin();
  controller_->load(own.at("controller"));
}

}  // namespace crrm
