#include "crrm/report/comparison.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "crrm/base/amount.h"
#include "crrm/report/cost.h"
#include "crrm/report/timing.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;
using Format = std::string (*)(double);

std::string points(double difference) {
  return fmt::format("{:+.2f} points", difference * 100);
}

std::string difference(const std::string& metric, double value, double dense) {
  return is_share(metric) ? points(value - dense) : fmt::format("{:+.4g}", value - dense);
}

std::string ratio(double value, double dense) {
  return dense > 0 ? format_percent(value / dense) : "";
}

std::string format_milliseconds(double milliseconds) {
  return fmt::format("{:.3g} ms", milliseconds);
}

std::string format_difference(double difference) {
  return difference == 0 ? "0" : fmt::format("{:.1e}", difference);
}

const Json& metric_of(const Json& stage, const char* key) {
  return stage["metric"][key];
}

/// "test" where both ends were tested, else "held_out".
const char* compared_part(const Json& first, const Json& last) {
  const bool tested = metric_of(first, "test").is_number() && metric_of(last, "test").is_number();
  return tested ? "test" : "held_out";
}

ComparisonRow metric_row(const Json& stages, const char* key, const std::string& where,
                         const std::string& meaning) {
  const std::string metric = stages[0]["metric"]["name"];
  const bool key_row = key == std::string_view(compared_part(stages.front(), stages.back()));
  ComparisonRow row{.name = metric + ", " + where, .meaning = meaning, .key = key_row};
  const Json& dense = metric_of(stages[0], key);
  for (const Json& stage : stages) {
    const Json& value = metric_of(stage, key);
    ComparisonCell cell;
    if (value.is_number()) cell.value = format_metric(metric, value);
    if (value.is_number() && dense.is_number() && &stage != &stages[0])
      cell.against = difference(metric, value, dense);
    row.cells.push_back(cell);
  }
  return row;
}

ComparisonRow error_row(const Json& stages, const char* key, const std::string& where) {
  ComparisonRow row{.name = "error, " + where,
                    .meaning = "share of samples answered wrongly; percent of the dense model's",
                    .brief = false};
  const Json& dense = metric_of(stages[0], key);
  for (const Json& stage : stages) {
    const Json& value = metric_of(stage, key);
    ComparisonCell cell;
    if (value.is_number()) cell.value = format_percent(1 - value.get<double>(), 2);
    if (value.is_number() && dense.is_number() && &stage != &stages[0])
      cell.against = ratio(1 - value.get<double>(), 1 - dense.get<double>());
    row.cells.push_back(cell);
  }
  return row;
}

ComparisonRow output_row(const Json& stages, size_t output) {
  ComparisonRow row{.name = fmt::format("error of \"{}\"",
                                        stages[0]["outputs"][output]["name"].get<std::string>()),
                    .meaning =
                        "relative to the original's output; below, where it is a "
                        "distribution, how often the largest entry is the same"};
  for (const Json& stage : stages) {
    ComparisonCell cell;
    if (output < stage["outputs"].size()) {
      const Json& found = stage["outputs"][output];
      cell.value = format_percent(found["relative_error"], 2);
      if (found["top1_agreement"].is_number())
        cell.against = format_percent(found["top1_agreement"], 2) + " same";
    }
    row.cells.push_back(cell);
  }
  return row;
}

ComparisonRow interval_row(const Json& stages) {
  const std::string metric = stages[0]["metric"]["name"];
  ComparisonRow row{.name = "95 % interval, test",
                    .meaning = "what more test data would likely give",
                    .brief = false};
  for (const Json& stage : stages) {
    const Json& ends = metric_of(stage, "test_interval");
    ComparisonCell cell;
    if (ends.is_array())
      cell.value = is_share(metric) ? fmt::format("{:.2f}–{:.2f} %", ends[0].get<double>() * 100,
                                                  ends[1].get<double>() * 100)
                                    : fmt::format("{:.4g} to {:.4g}", ends[0].get<double>(),
                                                  ends[1].get<double>());
    row.cells.push_back(cell);
  }
  return row;
}

ComparisonRow count_row(const Json& stages, const char* key, const std::string& name,
                        const std::string& meaning, Format format) {
  ComparisonRow row{.name = name, .meaning = meaning, .key = true};
  for (const Json& stage : stages) {
    const double value = stage[key];
    row.cells.push_back({.value = format(value),
                         .against = &stage == &stages[0] ? "" : ratio(value, stages[0][key])});
  }
  return row;
}

/// One way of timing a model.
struct Timing {
  std::string runtime;
  int64_t threads;
  int64_t batch;
  bool operator==(const Timing&) const = default;
};

Timing timing_of(const Json& latency) {
  return {latency["runtime"], latency["threads"], latency["batch"]};
}

/// The ways of timing that any stage has, in the order in which they first appear.
std::vector<Timing> timings(const Json& stages) {
  std::vector<Timing> found;
  for (const Json& stage : stages)
    for (const Json& latency : stage["latency_ms"]) {
      const Timing timing = timing_of(latency);
      if (std::find(found.begin(), found.end(), timing) == found.end()) found.push_back(timing);
    }
  return found;
}

const Json* find_latency(const Json& stage, const Timing& timing) {
  for (const Json& latency : stage["latency_ms"])
    if (timing_of(latency) == timing) return &latency;
  return nullptr;
}

std::string row_name(const Timing& timing) {
  std::string runtime = timing.runtime;
  if (runtime != "onnxruntime") runtime = runtime == "crrm" ? "latency" : "latency on " + runtime;
  return describe_timing(runtime, timing.threads, timing.batch);
}

ComparisonRow latency_row(const Json& stages, const Timing& timing, int place) {
  constexpr int kBriefLatencies = 2;
  ComparisonRow row{.name = row_name(timing),
                    .meaning = "median time for one batch",
                    .brief = place < kBriefLatencies,
                    .key = place == 0};
  const Json* dense = find_latency(stages[0], timing);
  for (const Json& stage : stages) {
    ComparisonCell cell;
    if (const Json* latency = find_latency(stage, timing)) {
      cell.value = format_milliseconds((*latency)["median"]);
      if (dense != nullptr && &stage != &stages[0])
        cell.against = ratio((*latency)["median"], (*dense)["median"]);
    }
    row.cells.push_back(cell);
  }
  return row;
}

bool any_value(const ComparisonRow& row) {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const ComparisonCell& cell) { return !cell.value.empty(); });
}

/// An amount of what a goal limits.
std::string amount(const Json& goal, double value) {
  const std::string kind = goal["kind"];
  constexpr double kSecond = 1e9, kPoints = 100;
  if (kind == "drop") return fmt::format("{:.2f} points", kPoints * value);
  if (kind == "description") return fmt::format("{:.2f}", value);
  if (kind == "latency") return format_duration(value / kSecond);
  return kind == "bytes" ? format_bytes(value) : format_count(value);
}

/// What stands behind it.
std::string noun(const Json& goal) {
  const std::map<std::string, std::string> nouns = {
      {"drop", " lost on held-out data,"},
      {"description", " of the dense network's description length,"},
      {"latency", " for one sample,"},
      {"bytes", " of file,"},
      {"macs", " MACs"},
      {"params", " parameters"}};
  return nouns.at(goal["kind"]);
}

std::string loss_clause(const Json& first, const Json& last) {
  const char* part = compared_part(first, last);
  const Json& before = metric_of(first, part);
  const Json& after = metric_of(last, part);
  if (!before.is_number() || !after.is_number()) return "";
  const std::string metric = first["metric"]["name"];
  const double change = after.get<double>() - before.get<double>();
  const std::string where = part == std::string("test") ? "test" : "held-out";
  if (change == 0)
    return fmt::format(", at the same {} on {} data ({})", metric, where,
                       format_metric(metric, after));
  const std::string from_to =
      fmt::format("({} to {})", format_metric(metric, before), format_metric(metric, after));
  if (!is_share(metric))
    return fmt::format(", and its {} on {} data changes by {:+.4g} {}", metric, where, change,
                       from_to);
  return fmt::format(", at a {} of {:.2f} points of {} on {} data {}", change > 0 ? "gain" : "loss",
                     std::abs(change) * 100, metric, where, from_to);
}

}  // namespace

bool is_share(const std::string& metric) {
  return metric == "accuracy" || metric == "agreement" || metric == "explained_variance";
}

std::string format_metric(const std::string& name, double value) {
  return is_share(name) ? format_percent(value, 2) : fmt::format("{:.4g}", value);
}

std::string name_of_model(const std::filesystem::path& path) {
  const std::string stem = path.stem().string();
  const std::string folder = path.parent_path().filename().string();
  if (stem == "model" && !folder.empty()) return folder;
  return stem.empty() ? path.string() : stem;
}

std::string model_name(const Json& report) {
  return name_of_model(report["model"]["path"].get<std::string>());
}

Comparison compare(const Json& report) {
  const Json& stages = report["stages"];
  Comparison comparison;
  for (const Json& stage : stages) comparison.stages.push_back(stage["name"]);
  std::vector<ComparisonRow> rows = {
      metric_row(stages, "held_out", "held out", "on data split off to steer the run"),
      metric_row(stages, "test", "test", "on data read once, at the end"), interval_row(stages)};
  if (stages[0]["metric"]["name"] == "accuracy") {
    const char* part = compared_part(stages[0], stages[stages.size() - 1]);
    rows.push_back(error_row(stages, part, part == std::string("test") ? "test" : "held out"));
  }
  for (size_t i = 0; i < stages[0]["outputs"].size(); ++i) rows.push_back(output_row(stages, i));
  rows.push_back(
      count_row(stages, "params", "parameters", "numbers that training sets", &format_count));
  rows.push_back(
      count_row(stages, "macs", "MACs", "multiply-accumulates for one sample", &format_count));
  rows.push_back(count_row(stages, "bytes", "file size", "of the model file", &format_bytes));
  int latencies = 0;
  for (const Timing& timing : timings(stages))
    rows.push_back(latency_row(stages, timing, latencies++));
  for (ComparisonRow& row : inference_rows(report)) rows.push_back(std::move(row));
  for (ComparisonRow& row : rows)
    if (any_value(row)) comparison.rows.push_back(std::move(row));
  return comparison;
}

std::string headline(const Json& report) {
  const Json& first = report["stages"].front();
  const Json& last = report["stages"].back();
  if (report["goals"].empty()) {
    const char* part = compared_part(first, last);
    const std::string metric = last["metric"]["name"];
    return fmt::format("{} reaches {} of {} on {} data with {} MACs and {} parameters.",
                       model_name(report), format_metric(metric, metric_of(last, part)), metric,
                       part == std::string("test") ? "test" : "held-out",
                       format_count(last["macs"]), format_count(last["params"]));
  }
  if (report["stages"].size() == 1)
    return fmt::format("{} has {} MACs and {} parameters; the run did not get to compress it.",
                       model_name(report), format_count(first["macs"]),
                       format_count(first["params"]));
  return fmt::format("{} keeps {} of its MACs and {} of its parameters{}.", model_name(report),
                     ratio(last["macs"], first["macs"]), ratio(last["params"], first["params"]),
                     loss_clause(first, last));
}

bool goals_met(const Json& report) {
  const Json& goals = report["goals"];
  return std::all_of(goals.begin(), goals.end(), [](const Json& goal) { return goal["met"]; });
}

std::string goal_sentence(const Json& report) {
  if (report["goals"].empty()) return "Trained without a limit.";
  std::vector<std::string> reached;
  for (const Json& goal : report["goals"])
    reached.push_back(fmt::format(
        "{}{} of at most {} ({})",
        goal["reached"].is_null() ? "an unmeasured amount" : amount(goal, goal["reached"]),
        noun(goal), amount(goal, goal["limit"]), goal["limit_text"].get<std::string>()));
  return fmt::format("Goal {}: {}.", goals_met(report) ? "met" : "not met",
                     fmt::join(reached, "; "));
}

std::string proof_sentence(const Json& report) {
  const Json& proof = report["proof"];
  if (proof.empty()) return "Not proved: nothing was compared.";
  const auto badness = [](const Json& one) {
    return std::pair(!one["ok"].get<bool>(), one["max_abs_diff"].get<double>());
  };
  const Json& worst =
      *std::max_element(proof.begin(), proof.end(),
                        [&](const Json& a, const Json& b) { return badness(a) < badness(b); });
  const std::string difference = format_difference(worst["max_abs_diff"]);
  const std::string bound = format_difference(worst["bound"]);
  const std::string all =
      fmt::format("{} comparison{}", proof.size(), proof.size() == 1 ? "" : "s");
  if (worst["ok"].get<bool>())
    return fmt::format("Proved: outputs differ by at most {}, allowed {} ({}).", difference, bound,
                       all);
  const int64_t failed =
      std::count_if(proof.begin(), proof.end(), [](const Json& one) { return one["ok"] == false; });
  return fmt::format("Not proved: outputs differ by {}, allowed {} ({} of {} failed).", difference,
                     bound, failed, all);
}

}  // namespace crrm
