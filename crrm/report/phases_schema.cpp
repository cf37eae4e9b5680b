#include "crrm/report/phases_schema.h"

namespace crrm {

namespace {

using Type = ReportKey::Type;

constexpr bool kNullable = true;
constexpr bool kGiven = false;

// Of an entry of `setups` or of `controls`.
const std::vector<ReportKey> kSetup = {
    {"", Type::object, kGiven, "One set-up, trained from several seeds."},
    {".name", Type::text, kGiven, "Its name on the command line."},
    {".meaning", Type::text, kGiven, "What is trained on what."},
    {".layers", Type::list, kGiven, "Layers looked at, from the first to the last."},
    {".layers[]", Type::text, kGiven, "One layer's name."},
    {".epochs", Type::list, kGiven, "Epochs at which they were looked at."},
    {".epochs[]", Type::non_negative, kGiven, "Passes over the data, 0 before the first step."},
    {".samples", Type::count, kGiven, "Samples that they were looked at on."},
    {".channels", Type::list, kGiven, "Ways of looking."},
    {".channels[]", Type::object, kGiven, "One way."},
    {".channels[].name", Type::text, kGiven, "Its name, with its parameter."},
    {".channels[].quantity", Type::text, kGiven, "What x is."},
    {".channels[].inside", Type::boolean, kGiven,
     "Whether the channel is part of the network; if not, it was added for the analysis."},
    {".channels[].parameter", Type::number, kGiven, "Width of bins, or deviation of noise."},
    {".curves", Type::list, kGiven, "One for each seed, channel and layer."},
    {".curves[]", Type::object, kGiven, "One curve over epochs."},
    {".curves[].seed", Type::count, kGiven, "The training's number."},
    {".curves[].channel", Type::text, kGiven, "The channel's name."},
    {".curves[].layer", Type::text, kGiven, "The layer's name."},
    {".curves[].x", Type::list, kGiven, "The channel's quantity at each epoch, nats."},
    {".curves[].x[]", Type::number, kNullable, "Null where there is none."},
    {".curves[].y", Type::list, kGiven, "What the same tells about the labels, nats."},
    {".curves[].y[]", Type::number, kNullable, "Null where there is none."},
    {".curves[].x_low", Type::list, kGiven, "Lower bounds of x, nats."},
    {".curves[].x_low[]", Type::number, kNullable, "Null where there is none."},
    {".curves[].x_high", Type::list, kGiven, "Upper bounds of x, nats."},
    {".curves[].x_high[]", Type::number, kNullable, "Null where there is none."},
    {".accuracy", Type::list, kGiven, "On test data at each epoch, mean over seeds."},
    {".accuracy[]", Type::non_negative, kGiven, "A fraction."},
    {".verdict", Type::object, kGiven, "What the curves allow to be said."},
    {".verdict.phase", Type::boolean, kGiven, "Whether any layer has a phase of compression."},
    {".verdict.text", Type::text, kGiven, "One sentence."},
    {".verdict.layers", Type::list, kGiven, "One for each layer."},
    {".verdict.layers[]", Type::object, kGiven, "One layer."},
    {".verdict.layers[].layer", Type::text, kGiven, "Its name."},
    {".verdict.layers[].phase", Type::boolean, kGiven,
     "Whether it falls late in every channel and over all seeds."},
    {".verdict.layers[].text", Type::text, kGiven, "One sentence."},
    {".verdict.changes", Type::list, kGiven, "One for each layer and channel."},
    {".verdict.changes[]", Type::object, kGiven, "From where x is highest to the end."},
    {".verdict.changes[].layer", Type::text, kGiven, "The layer's name."},
    {".verdict.changes[].channel", Type::text, kGiven, "The channel's name."},
    {".verdict.changes[].change", Type::number, kNullable, "Mean over seeds, nats."},
    {".verdict.changes[].low", Type::number, kNullable, "Lower end of its 95 % interval."},
    {".verdict.changes[].high", Type::number, kNullable, "Upper end."},
    {".verdict.changes[].saturated", Type::boolean, kGiven,
     "Whether x stays at its ceiling, so that a fall could not be seen."},
};

std::vector<ReportKey> all_keys() {
  std::vector<ReportKey> keys = head_keys("phases");
  keys.push_back({"setups", Type::list, kGiven, "Set-ups of the literature, and others."});
  append_keys(keys, kSetup, "setups[]");
  keys.push_back({"controls", Type::list, kGiven, "Set-ups that have no phase to show."});
  append_keys(keys, kSetup, "controls[]");
  append_keys(keys, end_keys("Of a part."));
  return keys;
}

}  // namespace

const std::vector<ReportKey>& phases_keys() {
  static const std::vector<ReportKey> keys = all_keys();
  return keys;
}

}  // namespace crrm
