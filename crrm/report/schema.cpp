#include "crrm/report/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;
using Type = ReportKey::Type;

constexpr bool kNullable = true;
constexpr bool kGiven = false;

std::string kind_name(const ReportKey& key) {
  std::string name;
  switch (key.type) {
    case Type::text:
      name = "text";
      break;
    case Type::count:
      name = "integer >= 0";
      break;
    case Type::number:
      name = "number";
      break;
    case Type::non_negative:
      name = "number >= 0";
      break;
    case Type::boolean:
      name = "true or false";
      break;
    case Type::object:
      name = "object";
      break;
    case Type::list:
      name = "list";
      break;
    case Type::any:
      name = "anything";
      break;
  }
  if (!key.choices.empty()) name = fmt::format("\"{}\"", fmt::join(key.choices, "\", \""));
  return key.nullable ? name + " or null" : name;
}

bool is_finite_number(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

bool has_kind(const Json& value, const ReportKey& key) {
  if (value.is_null()) return key.nullable || key.type == Type::any;
  switch (key.type) {
    case Type::text:
      return value.is_string() &&
             (key.choices.empty() || std::find(key.choices.begin(), key.choices.end(),
                                               value.get<std::string>()) != key.choices.end());
    case Type::count:
      return value.is_number_integer() && (value.is_number_unsigned() || value.get<int64_t>() >= 0);
    case Type::number:
      return is_finite_number(value);
    case Type::non_negative:
      return is_finite_number(value) && value.get<double>() >= 0;
    case Type::boolean:
      return value.is_boolean();
    case Type::object:
      return value.is_object();
    case Type::list:
      return value.is_array();
    case Type::any:
      return true;
  }
  return false;
}

/// The value as an error shows it: short, and one line.
std::string shown(const Json& value) {
  constexpr size_t kMost = 60;
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

class Checker {
 public:
  Checker(const std::vector<ReportKey>& keys, const std::string& file) : keys_(keys), file_(file) {}

  /// @param schema the value's path in the table; `place` its path in the report.
  void check(const Json& value, const ReportKey& key, const std::string& place) const {
    if (!has_kind(value, key)) reject(place, kind_name(key), shown(value));
    if (key.type == Type::any) return;
    if (value.is_object()) check_object(value, key.path, place);
    if (!value.is_array()) return;
    const ReportKey* entry = find(key.path + "[]");
    for (size_t i = 0; entry != nullptr && i < value.size(); ++i)
      check(value[i], *entry, fmt::format("{}[{}]", place, i));
  }

  void check_object(const Json& object, const std::string& schema, const std::string& place) const {
    const std::string prefix = schema.empty() ? "" : schema + ".";
    const std::string place_prefix = place.empty() ? "" : place + ".";
    const ReportKey* other = find(prefix + "*");
    std::vector<std::string> names;
    for (const ReportKey& key : keys_) {
      if (!is_child(key.path, prefix)) continue;
      const std::string name = key.path.substr(prefix.size());
      if (name == "*") continue;
      names.push_back(name);
      if (!object.contains(name)) reject(place_prefix + name, kind_name(key), "nothing");
      check(object[name], key, place_prefix + name);
    }
    for (const auto& [name, value] : object.items()) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      if (other == nullptr) reject_unknown(place_prefix + name, name, names);
      check(value, *other, place_prefix + name);
    }
  }

  [[noreturn]] void reject(const std::string& place, const std::string& expected,
                           const std::string& found) const {
    throw InputError({.file = file_,
                      .place = place,
                      .expected = expected,
                      .found = found,
                      .hint = "docs/report.md lists the keys of a report"});
  }

 private:
  [[noreturn]] void reject_unknown(const std::string& place, const std::string& name,
                                   const std::vector<std::string>& names) const {
    throw InputError({.file = file_,
                      .place = place,
                      .expected = "a key that reports have",
                      .found = fmt::format("\"{}\"", name),
                      .hint = suggestion(name, names)});
  }

  const ReportKey* find(const std::string& path) const {
    for (const ReportKey& key : keys_)
      if (key.path == path) return &key;
    return nullptr;
  }

  static bool is_child(const std::string& path, const std::string& prefix) {
    return path.starts_with(prefix) && path.find_first_of(".[", prefix.size()) == std::string::npos;
  }

  const std::vector<ReportKey>& keys_;
  std::string file_;
};

}  // namespace

std::vector<ReportKey> head_keys(const std::string& kind) {
  return {
      {"schema_version", Type::count, kGiven, "Version of this table."},
      {"kind", Type::text, kGiven, "What the report is of.", {kind}},
      {"crrm", Type::object, kGiven, "The program that ran."},
      {"crrm.version", Type::text, kGiven, "Its version."},
      {"crrm.commit", Type::text, kGiven, "The commit that it was built from; empty if unknown."},
      {"command", Type::list, kGiven, "The command line."},
      {"command[]", Type::text, kGiven, "One argument."},
      {"config", Type::object, kGiven, "Every option's value, as in config.toml."},
      {"config.*", Type::any, kNullable, "The value of the option of that name."},
      {"seed", Type::count, kGiven, "What all random numbers derive from."},
      {"machine", Type::object, kGiven, "Where it ran."},
      {"machine.cpu", Type::text, kGiven, "The processor's name."},
      {"machine.threads", Type::count, kGiven, "Threads."},
      {"machine.memory_bytes", Type::count, kGiven, "Main memory."},
      {"machine.gpu", Type::text, kNullable, "The accelerator's name, null where none was used."},
      {"machine.libtorch", Type::text, kGiven, "LibTorch's version."},
  };
}

std::vector<ReportKey> end_keys(const std::string& parts) {
  return {
      {"seconds", Type::object, kGiven, "Wall time."},
      {"seconds.total", Type::non_negative, kGiven, "All of it."},
      {"seconds.*", Type::non_negative, kGiven, parts},
      {"warnings", Type::list, kGiven, "What the reader should know; may be empty."},
      {"warnings[]", Type::text, kGiven, "One sentence."},
      {"partial", Type::boolean, kGiven, "Whether it was interrupted: what is there is complete."},
  };
}

void append_keys(std::vector<ReportKey>& keys, const std::vector<ReportKey>& more,
                 const std::string& prefix) {
  for (ReportKey key : more) {
    key.path = prefix + key.path;
    keys.push_back(std::move(key));
  }
}

const std::vector<ReportKey>& report_keys() {
  static const std::vector<ReportKey> keys = {
      {"schema_version", Type::count, kGiven, "Version of this table: 1."},
      {"crrm", Type::object, kGiven, "The program that ran."},
      {"crrm.version", Type::text, kGiven, "Its version."},
      {"crrm.commit", Type::text, kGiven, "The commit that it was built from; empty if unknown."},
      {"command", Type::list, kGiven, "The command line."},
      {"command[]", Type::text, kGiven, "One argument."},
      {"config", Type::object, kGiven, "Every option's value, as in config.toml."},
      {"config.*", Type::any, kNullable, "The value of the option of that name."},
      {"seed", Type::count, kGiven, "What all random numbers of the run derive from."},
      {"machine", Type::object, kGiven,
       "Where the run took place; all its figures are from there."},
      {"machine.cpu", Type::text, kGiven, "The processor's name."},
      {"machine.threads", Type::count, kGiven, "Threads that the run used."},
      {"machine.memory_bytes", Type::count, kGiven, "Main memory."},
      {"machine.gpu", Type::text, kNullable, "The accelerator's name, null where none was used."},
      {"machine.libtorch", Type::text, kGiven, "LibTorch's version."},
      {"data", Type::object, kGiven, "The data set."},
      {"data.path", Type::text, kGiven, "Where it was read from."},
      {"data.samples", Type::object, kGiven, "How many samples each part has."},
      {"data.samples.train", Type::count, kGiven, "Samples trained on."},
      {"data.samples.held_out", Type::count, kGiven, "Samples split off them to steer the run."},
      {"data.samples.test", Type::count, kGiven, "Samples read once, at the end."},
      {"data.sha256", Type::text, kGiven, "SHA-256 of the data."},
      {"data.split", Type::text, kGiven, "How held-out samples were chosen."},
      {"model", Type::object, kGiven, "The model that was compressed."},
      {"model.path", Type::text, kGiven, "Its file, or the name of a built-in architecture."},
      {"model.sha256", Type::text, kGiven, "SHA-256 of the file; empty for a built-in one."},
      {"model.unfolded", Type::boolean, kGiven,
       "Whether batch normalisation was put back where the file had folded it away."},
      {"goals", Type::list, kGiven, "What the run was asked for; empty: it only trained."},
      {"goals[]", Type::object, kGiven, "One limit."},
      {"goals[].kind",
       Type::text,
       kGiven,
       "What is limited; drop: what the metric may lose on held-out data; description: nothing, "
       "and "
       "the shortest description was sought.",
       {"drop", "description", "macs", "params", "bytes", "latency"}},
      {"goals[].limit", Type::non_negative, kGiven,
       "The limit: a fraction of the metric, the dense network's description (1), "
       "multiply-accumulates per sample, parameters, bytes of "
       "the file, or nanoseconds for one sample."},
      {"goals[].limit_text", Type::text, kGiven, "The limit as it was written, such as 50%."},
      {"goals[].reached", Type::number, kNullable,
       "What the last stage has of it; null where the run did not get to measure it."},
      {"goals[].interval", Type::list, kNullable,
       "Of a drop: what more held-out data would give, with 95 % confidence."},
      {"goals[].interval[]", Type::number, kGiven, "One end."},
      {"goals[].met", Type::boolean, kGiven,
       "Whether the last stage is within the limit; a drop is unless its interval lies above it."},
      {"stages", Type::list, kGiven, "The model at each stage, all measured on this machine."},
      {"stages[]", Type::object, kGiven, "One stage."},
      {"stages[].name",
       Type::text,
       kGiven,
       "dense: as it came; masked: superfluous units multiplied by zero; cut: those units removed; "
       "recalibrated: batch-norm statistics taken anew; final: after further training.",
       {"dense", "masked", "cut", "recalibrated", "final"}},
      {"stages[].metric", Type::object, kGiven, "How well the model does its task."},
      {"stages[].metric.name", Type::text, kGiven,
       "accuracy: share of labels that are met; agreement with the original, of the output that is "
       "worst; explained_variance: share of the inputs' variance. All are fractions, 0 to 1."},
      {"stages[].metric.held_out", Type::number, kNullable, "On held-out data."},
      {"stages[].metric.test", Type::number, kNullable, "On test data; null where not read."},
      {"stages[].metric.test_interval", Type::list, kNullable,
       "Lower and upper end of the 95 % confidence interval of the test figure."},
      {"stages[].metric.test_interval[]", Type::number, kGiven, "One end."},
      {"stages[].outputs", Type::list, kGiven,
       "The outputs against the original's, on test data where there are any, else on held-out "
       "data; empty where labels are the measure."},
      {"stages[].outputs[]", Type::object, kGiven, "One output."},
      {"stages[].outputs[].name", Type::text, kGiven, "Its name."},
      {"stages[].outputs[].relative_error", Type::non_negative, kGiven,
       "Mean over samples of the difference's Euclidean norm over the original's."},
      {"stages[].outputs[].top1_agreement", Type::non_negative, kNullable,
       "Share of distributions whose largest entry is the original's; null for other outputs."},
      {"stages[].params", Type::count, kGiven, "Parameters: the numbers that training sets."},
      {"stages[].macs", Type::count, kGiven, "Multiply-accumulates for one sample."},
      {"stages[].bytes", Type::count, kGiven, "Size of the model file."},
      {"stages[].latency_ms", Type::list, kGiven, "Time for one batch; may be empty."},
      {"stages[].latency_ms[]", Type::object, kGiven, "One way of running it."},
      {"stages[].latency_ms[].runtime",
       Type::text,
       kGiven,
       "What ran it.",
       {"crrm", "onnxruntime", "cuda"}},
      {"stages[].latency_ms[].threads", Type::count, kGiven, "Threads."},
      {"stages[].latency_ms[].batch", Type::count, kGiven, "Samples in the batch."},
      {"stages[].latency_ms[].median", Type::non_negative, kGiven, "Median, in milliseconds."},
      {"stages[].latency_ms[].iqr", Type::non_negative, kGiven,
       "Interquartile range, in milliseconds."},
      {"stages[].latency_ms[].samples", Type::count, kGiven, "Timed runs."},
      {"curve", Type::list, kGiven, "The run over its steps; may be empty."},
      {"curve[]", Type::object, kGiven, "One step; null is what was not measured there."},
      {"curve[].step", Type::count, kGiven, "Step of the optimiser, from 0."},
      {"curve[].epoch", Type::non_negative, kGiven, "Passes over the training data."},
      {"curve[].loss", Type::number, kNullable, "Training loss."},
      {"curve[].held_out_metric", Type::number, kNullable,
       "Metric of the masked network on held-out data."},
      {"curve[].averaged_metric", Type::number, kNullable,
       "On held-out data, of the masked network with the average of its latest weights: what a "
       "limit on the drop is judged by."},
      {"curve[].lowest_metric", Type::number, kNullable, "What that may fall to."},
      {"curve[].cost", Type::non_negative, kNullable, "What the network would cost if cut now."},
      {"curve[].goal_cost", Type::non_negative, kNullable, "What it should cost by now."},
      {"curve[].beta", Type::non_negative, kNullable, "The compression weight, in nats."},
      {"curve[].rate_nats", Type::non_negative, kNullable,
       "Information that the open gates pass, summed over units."},
      {"curve[].distortion_mean", Type::non_negative, kNullable,
       "Mean distortion over units: 0 is untouched, 1 is closed."},
      {"curve[].learning_rate", Type::non_negative, kNullable, "The optimiser's learning rate."},
      {"groups", Type::list, kGiven, "Groups of units, each unit kept or removed as a whole."},
      {"groups[]", Type::object, kGiven, "One group."},
      {"groups[].name", Type::text, kGiven, "Its name."},
      {"groups[].kept", Type::count, kGiven, "Units left."},
      {"groups[].of", Type::count, kGiven, "Units before."},
      {"groups[].units_cost_params", Type::non_negative, kGiven, "Parameters that one unit costs."},
      {"groups[].units_cost_macs", Type::non_negative, kGiven,
       "Multiply-accumulates per sample that one unit costs."},
      {"groups[].members", Type::list, kGiven, "Axes of parameters that its units run along."},
      {"groups[].members[]", Type::text, kGiven, "Such as layer1.0.conv1.weight[0]."},
      {"groups[].frozen", Type::text, kNullable, "Why none of it may go; null where it may."},
      {"layers", Type::list, kGiven, "Layers with weights."},
      {"layers[]", Type::object, kGiven, "One layer."},
      {"layers[].name", Type::text, kGiven, "Its name."},
      {"layers[].before", Type::list, kGiven, "Extents of its weight before; outputs come first."},
      {"layers[].before[]", Type::count, kGiven, "One extent."},
      {"layers[].after", Type::list, kGiven, "Extents after; empty where the layer is gone."},
      {"layers[].after[]", Type::count, kGiven, "One extent."},
      {"layers[].frozen", Type::text, kNullable,
       "Why its outputs stayed; null where they could go."},
      {"proof", Type::list, kGiven,
       "Comparisons on the same inputs, made before a file was written."},
      {"proof[]", Type::object, kGiven, "One comparison."},
      {"proof[].what", Type::text, kGiven, "Which two are compared, such as masked vs cut."},
      {"proof[].max_abs_diff", Type::non_negative, kGiven, "Largest difference of an output."},
      {"proof[].max_rel_diff", Type::non_negative, kGiven,
       "The same, relative to the largest output."},
      {"proof[].bound", Type::non_negative, kGiven, "What max_abs_diff may be at most."},
      {"proof[].inputs", Type::count, kGiven, "Inputs compared."},
      {"proof[].runtime", Type::text, kGiven, "What ran them."},
      {"proof[].ok", Type::boolean, kGiven, "Whether the difference is within the bound."},
      {"files", Type::list, kGiven, "Files written."},
      {"files[]", Type::object, kGiven, "One file."},
      {"files[].path", Type::text, kGiven, "Its path, relative to the run folder."},
      {"files[].sha256", Type::text, kGiven, "Its SHA-256."},
      {"files[].bytes", Type::count, kGiven, "Its size."},
      {"seconds", Type::object, kGiven, "Wall time."},
      {"seconds.total", Type::non_negative, kGiven, "The whole run."},
      {"seconds.*", Type::non_negative, kGiven, "A phase: train, evaluate, ..."},
      {"cost", Type::object, kGiven,
       "What the run cost from its start to this report, earlier parts of a resumed one included."},
      {"cost.seconds", Type::non_negative, kGiven, "Wall time."},
      {"cost.core_hours", Type::non_negative, kGiven, "CPU time of its threads."},
      {"cost.joules", Type::non_negative, kNullable,
       "Energy of processor packages and memory meanwhile, other programs' included, as RAPL "
       "counts "
       "it; null where that cannot be read."},
      {"cost.price_per_hour", Type::non_negative, kNullable, "As given by the user; null if not."},
      {"cost.total", Type::non_negative, kNullable, "Price times hours, in the price's currency."},
      {"cost.inference", Type::list, kGiven,
       "What a million samples cost, from the stages' latencies; may be empty."},
      {"cost.inference[]", Type::object, kGiven, "One stage, run in one way."},
      {"cost.inference[].stage", Type::text, kGiven, "The stage's name."},
      {"cost.inference[].runtime", Type::text, kGiven, "As in its latency_ms."},
      {"cost.inference[].threads", Type::count, kGiven, "Threads."},
      {"cost.inference[].batch", Type::count, kGiven, "Samples in a batch."},
      {"cost.inference[].seconds", Type::non_negative, kGiven, "Wall time."},
      {"cost.inference[].core_hours", Type::non_negative, kGiven, "Hours times threads."},
      {"cost.inference[].joules", Type::non_negative, kNullable, "Energy, as cost.joules."},
      {"cost.inference[].total", Type::non_negative, kNullable, "Price times hours."},
      {"warnings", Type::list, kGiven, "What the reader should know; may be empty."},
      {"warnings[]", Type::text, kGiven, "One sentence."},
      {"partial", Type::boolean, kGiven, "Whether the run ended early."},
  };
  return keys;
}

void validate(const Json& report, const std::vector<ReportKey>& keys, const std::string& file) {
  const Checker checker(keys, file);
  if (!report.is_object()) checker.reject("the document", "object", shown(report));
  if (report.contains("schema_version") && report["schema_version"] != kReportVersion)
    checker.reject("schema_version", fmt::format("{}", kReportVersion),
                   shown(report["schema_version"]));
  checker.check_object(report, "", "");
}

void validate(const Json& report, const std::string& file) {
  validate(report, report_keys(), file);
  const Checker checker(report_keys(), file);
  const Json& stages = report["stages"];
  if (stages.empty()) checker.reject("stages", "one stage at least", "a list of 0");
  for (size_t i = 0; i < stages.size(); ++i) {
    const Json& interval = stages[i]["metric"]["test_interval"];
    if (interval.is_array() && interval.size() != 2)
      checker.reject(fmt::format("stages[{}].metric.test_interval", i), "two numbers or null",
                     shown(interval));
  }
}

std::string schema_markdown(const std::vector<ReportKey>& keys) {
  std::string text = "| key | kind | meaning |\n|---|---|---|\n";
  for (const ReportKey& key : keys)
    text += fmt::format("| `{}` | {} | {} |\n", key.path, kind_name(key), key.meaning);
  return text;
}

}  // namespace crrm
