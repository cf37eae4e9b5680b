#include "crrm/report/measure_schema.h"

namespace crrm {

namespace {

using Type = ReportKey::Type;

constexpr bool kNullable = true;
constexpr bool kGiven = false;

const std::vector<ReportKey> kMeasured = {
    {"data", Type::object, kGiven, "The data set."},
    {"data.path", Type::text, kGiven, "Where it was read from."},
    {"data.part", Type::text, kGiven, "Of which part the samples are.", {"test", "train"}},
    {"data.sha256", Type::text, kGiven, "SHA-256 of the data."},
    {"model", Type::object, kGiven, "The network."},
    {"model.path", Type::text, kGiven, "Its file."},
    {"model.sha256", Type::text, kGiven, "SHA-256 of the file."},
    {"samples", Type::count, kGiven, "Samples that every layer was measured on."},
    {"classes", Type::count, kGiven, "Classes of their labels; 0 where there are none."},
    {"epochs", Type::list, kGiven, "One entry for each checkpoint; one where there are none."},
    {"epochs[]", Type::object, kGiven, "The network at that time."},
    {"epochs[].name", Type::text, kGiven, "Its file's name."},
    {"epochs[].epoch", Type::count, kGiven, "The last number in that name, or its place from 0."},
    {"epochs[].layers", Type::list, kGiven, "Its layers, from input to output."},
    {"epochs[].layers[]", Type::object, kGiven, "One layer."},
    {"epochs[].layers[].name", Type::text, kGiven, "The value's name in the network."},
    {"epochs[].layers[].op", Type::text, kGiven, "The operator that writes it, or Input."},
    {"epochs[].layers[].shape", Type::list, kGiven, "Extents of one sample."},
    {"epochs[].layers[].shape[]", Type::count, kGiven, "One extent."},
    {"epochs[].layers[].features", Type::count, kGiven, "Numbers in a sample."},
    {"epochs[].layers[].projected", Type::count, kNullable,
     "Features that it was randomly projected to for dimension, capacity, information and coding "
     "rate; null where it was not."},
    {"epochs[].layers[].estimates", Type::list, kGiven, "What was measured."},
    {"epochs[].layers[].estimates[]", Type::object, kGiven, "One measure."},
    {"epochs[].layers[].estimates[].family", Type::text, kGiven, "As --measures names it."},
    {"epochs[].layers[].estimates[].measure", Type::text, kGiven, "Its name."},
    {"epochs[].layers[].estimates[].value", Type::number, kNullable,
     "The number; null where it is refused."},
    {"epochs[].layers[].estimates[].low", Type::number, kNullable,
     "Lower end of its interval, 95 % unless the assumptions say otherwise; null for none."},
    {"epochs[].layers[].estimates[].high", Type::number, kNullable, "Upper end."},
    {"epochs[].layers[].estimates[].unit", Type::text, kGiven, "Empty for a pure number."},
    {"epochs[].layers[].estimates[].samples", Type::count, kGiven, "That it rests on."},
    {"epochs[].layers[].estimates[].validity",
     Type::text,
     kGiven,
     "Whether to believe it.",
     {"ok", "saturated", "out of range", "ties", "too few samples"}},
    {"epochs[].layers[].estimates[].reason", Type::text, kGiven,
     "Why it is refused, or not to be believed; empty where it is ok."},
    {"epochs[].layers[].estimates[].assumptions", Type::text, kGiven,
     "Under which it is the named quantity."},
    {"epochs[].layers[].estimates[].source", Type::text, kGiven, "Paper and equation."},
    {"epochs[].layers[].estimates[].details", Type::object, kGiven,
     "What it depends on or brings along."},
    {"epochs[].layers[].estimates[].details.*", Type::number, kNullable, "By its name."},
};

std::vector<ReportKey> all_keys() {
  std::vector<ReportKey> keys = head_keys("measure");
  append_keys(keys, kMeasured);
  append_keys(keys, end_keys("Of capture, and of each family of measures."));
  return keys;
}

}  // namespace

const std::vector<ReportKey>& measure_keys() {
  static const std::vector<ReportKey> keys = all_keys();
  return keys;
}

}  // namespace crrm
