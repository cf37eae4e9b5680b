#include "crrm/train/outcome.h"

#include "crrm/base/file.h"
#include "crrm/base/version.h"
#include "crrm/io/onnx.h"
#include "crrm/report/payoff.h"
#include "crrm/report/schema.h"
#include "crrm/train/descent.h"
#include "crrm/train/machine.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kNanosecondsPerMillisecond = 1e6;

std::string axis_name(const Member& member) {
  return fmt::format("{}[{}]", member.parameter, member.axis);
}

std::vector<Shape> sample_of(const RunData& data) {
  return {data.train.inputs.sizes().slice(1).vec()};
}

Json json_of(const std::vector<Latency>& latencies) {
  Json all = Json::array();
  for (const Latency& latency : latencies) all.push_back(to_json(latency));
  return all;
}

Json metric_of(const std::string& name, const Stage& stage) {
  const bool held_out = stage.held_out.samples > 0;
  Json metric = {{"name", name},
                 {"held_out", held_out ? Json(stage.held_out.metric) : Json()},
                 {"test", Json()},
                 {"test_interval", Json()}};
  if (stage.test) {
    metric["test"] = stage.test->metric;
    metric["test_interval"] = {stage.test->low, stage.test->high};
  }
  return metric;
}

/// What a stage costs in the form in which it would be written.
struct Size {
  Cost cost;
  size_t bytes;
};

Size size_of(const Graph& written, const std::vector<Shape>& sample) {
  return {cost(written, sample), onnx_bytes(written).size()};
}

Json stages_of(const Assignment& assignment, const RunData& data, const RunResult& result,
               const Conclusion& conclusion) {
  Json stages = Json::array();
  Size last = {};
  for (const Stage& stage : result.stages) {
    const bool dense = stage.name == "dense";
    // Before a training from scratch there is nothing to compare with, but for a run cut short.
    if (dense && !assignment.compresses && result.stages.size() > 1) continue;
    // The masked network has no graph of its own: it is as large as the dense one.
    if (!stage.graph.nodes.empty())
      last = size_of(dense ? stage.graph : as_written(stage.graph, assignment.reversal),
                     sample_of(data));
    const std::vector<Latency> none;
    const std::vector<Latency>& latency = dense                   ? conclusion.dense_latencies
                                          : stage.name == "final" ? conclusion.final_latencies
                                                                  : none;
    stages.push_back({{"name", stage.name},
                      {"metric", metric_of(assignment.metric, stage)},
                      {"outputs", to_json((stage.test ? *stage.test : stage.held_out).outputs)},
                      {"params", last.cost.params},
                      {"macs", last.cost.macs},
                      {"bytes", last.bytes},
                      {"latency_ms", json_of(latency)}});
  }
  return stages;
}

/// What is not finite was not measured.
Json finite(Json curve) {
  for (Json& point : curve)
    for (auto& [key, value] : point.items())
      if (value.is_number_float() && !std::isfinite(value.get<double>())) value = nullptr;
  return curve;
}

Json layers_of(const Graph& network, const Coupling& coupling, const Graph& final) {
  std::map<std::string, std::string> frozen;
  for (const FrozenAxis& axis : coupling.frozen())
    if (axis.member.axis == 0) frozen[axis.member.parameter] = axis.reason;
  Json layers = Json::array();
  for (const std::string& name : learned_parameters(network)) {
    const at::Tensor& weight = network.parameters.at(name);
    if (weight.dim() < 2) continue;
    const bool stays = final.is_parameter(name);
    layers.push_back({{"name", name.ends_with(".weight") ? name.substr(0, name.size() - 7) : name},
                      {"before", weight.sizes().vec()},
                      {"after", stays ? final.parameters.at(name).sizes().vec() : Shape{}},
                      {"frozen", frozen.contains(name) ? Json(frozen[name]) : Json()}});
  }
  return layers;
}

Json proofs_of(const std::vector<Proof>& proofs) {
  Json all = Json::array();
  for (const Proof& proof : proofs)
    all.push_back({{"what", proof.what},
                   {"max_abs_diff", proof.max_abs_diff},
                   {"max_rel_diff", proof.max_rel_diff},
                   {"bound", proof.bound},
                   {"inputs", proof.inputs},
                   {"runtime", proof.runtime},
                   {"ok", proof.ok}});
  return all;
}

Json files_of(const std::vector<std::filesystem::path>& files) {
  Json all = Json::array();
  for (const std::filesystem::path& file : files)
    all.push_back({{"path", file.filename().string()},
                   {"sha256", sha256_file(file)},
                   {"bytes", std::filesystem::file_size(file)}});
  return all;
}

Json seconds_of(const RunResult& result) {
  Json seconds = {{"total", 0.0}};
  for (const auto& [phase, time] : result.seconds) seconds[phase] = time;
  return seconds;
}

constexpr double kSecondsPerHour = 3600;

Json price_of(const Assignment& assignment, double seconds) {
  return assignment.price_per_hour ? Json(*assignment.price_per_hour * seconds / kSecondsPerHour)
                                   : Json();
}

/// Of a million samples.
Json inference_cost(const Assignment& assignment, const char* stage, const Latency& latency) {
  constexpr double kSamples = 1e6, kMillisecond = 1e-3;
  const double runs = kSamples / static_cast<double>(latency.batch);
  const double seconds = kMillisecond * latency.median_ms * runs;
  return {{"stage", stage},
          {"runtime", latency.runtime},
          {"threads", latency.threads},
          {"batch", latency.batch},
          {"seconds", seconds},
          {"core_hours", seconds * latency.threads / kSecondsPerHour},
          {"joules", latency.joules ? Json(*latency.joules * runs) : Json()},
          {"total", price_of(assignment, seconds)}};
}

Json cost_of(const Assignment& assignment, const Conclusion& conclusion) {
  Json inference = Json::array();
  for (const Latency& latency : conclusion.dense_latencies)
    inference.push_back(inference_cost(assignment, "dense", latency));
  for (const Latency& latency : conclusion.final_latencies)
    inference.push_back(inference_cost(assignment, "final", latency));
  const Usage& usage = conclusion.usage;
  return {{"seconds", usage.seconds},
          {"core_hours", usage.cpu_seconds / kSecondsPerHour},
          {"joules", usage.joules ? Json(*usage.joules) : Json()},
          {"price_per_hour", assignment.price_per_hour ? Json(*assignment.price_per_hour) : Json()},
          {"total", price_of(assignment, usage.seconds)},
          {"inference", inference}};
}

Json warnings_of(const Conclusion& conclusion) {
  Json all = Json::array();
  for (const std::string& warning : conclusion.warnings) all.push_back(warning);
  for (const std::string& warning : conclusion.verification.warnings) all.push_back(warning);
  for (const std::vector<Latency>* latencies :
       {&conclusion.dense_latencies, &conclusion.final_latencies})
    for (const Latency& latency : *latencies)
      if (latency.outliers) {
        all.push_back(
            "some timed runs were far off the median: other programs may have run beside "
            "it; close them for sharper figures");
        return all;
      }
  return all;
}

/// The interval of a difference of two shares: Newcombe, Statistics in Medicine 17 (1998) 873-890,
/// method 10. Both are of the same samples, so that it is wider than need be.
Json drop_goal(double limit, const Evaluation& reference, const Evaluation& last) {
  const double drop = reference.metric - last.metric;
  const double down = std::hypot(reference.metric - reference.low, last.high - last.metric);
  const double up = std::hypot(reference.high - reference.metric, last.metric - last.low);
  constexpr double kPoints = 100;
  return {{"kind", "drop"},
          {"limit", limit},
          {"limit_text", fmt::format("--max-drop {:g}", kPoints * limit)},
          {"reached", drop},
          {"interval", {drop - down, drop + up}},
          {"met", drop - down <= limit}};
}

/// The dense network's is 1.
Json knee_goal(double description) {
  return {{"kind", "description"},  {"limit", 1},          {"limit_text", "no limit was given"},
          {"reached", description}, {"interval", nullptr}, {"met", description <= 1}};
}

Json data_of(const Assignment& assignment, const RunData& data) {
  return {{"path", assignment.data},
          {"samples",
           {{"train", data.train.size()},
            {"held_out", data.held_out.size()},
            {"test", data.test.size()}}},
          {"sha256", data.train.sha256},
          {"split", assignment.split}};
}

}  // namespace

Json to_json(const Latency& latency) {
  return {{"runtime", latency.runtime}, {"threads", latency.threads},
          {"batch", latency.batch},     {"median", latency.median_ms},
          {"iqr", latency.iqr_ms},      {"samples", latency.samples}};
}

Json goals(const Assignment& assignment, const RunResult& result, const Graph& written,
           const std::vector<Latency>& latencies) {
  Json all = Json::array();
  if (assignment.max_drop && result.reference)
    all.push_back(
        drop_goal(*assignment.max_drop, *result.reference, result.stages.back().held_out));
  const Cost dense = cost(result.stages.front().graph, {assignment.reversal.sample});
  Cost reached = cost(written, {assignment.reversal.sample});
  if (assignment.knee && result.reference)
    all.push_back(knee_goal(description_length(
        static_cast<double>(reached.params) / static_cast<double>(dense.params),
        result.stages.back().held_out.loss, result.reference->loss, assignment.blank_loss)));
  reached.bytes = static_cast<int64_t>(onnx_bytes(written).size());
  bool timed = false;
  for (const Latency& latency : latencies)
    if (latency.batch == 1 && latency.threads == assignment.latency_threads &&
        latency.runtime.starts_with(assignment.latency_runtime)) {
      reached.nanoseconds = std::llround(latency.median_ms * kNanosecondsPerMillisecond);
      timed = true;
    }
  for (const Target& target : assignment.targets) {
    const int64_t value = amount(reached, target.limit.resource);
    const bool known = target.limit.resource != Resource::latency || timed;
    all.push_back({{"kind", name(target.limit.resource)},
                   {"limit", target.limit.most},
                   {"limit_text", target.text},
                   {"reached", known ? Json(value) : Json()},
                   {"interval", nullptr},
                   {"met", known && value <= target.limit.most}});
  }
  return all;
}

bool all_met(const Json& goals) {
  return std::all_of(goals.begin(), goals.end(),
                     [](const Json& goal) { return goal["met"].get<bool>(); });
}

std::vector<FrozenAxis> frozen_widths(const Coupling& coupling) {
  std::vector<FrozenAxis> result;
  for (const FrozenAxis& axis : coupling.frozen())
    if (is_width(axis)) result.push_back(axis);
  return result;
}

Json describe_groups(const Graph& network, const Coupling& coupling,
                     const std::vector<bool>& alive) {
  const std::vector<Cost> costs =
      unit_costs(coupling, CostModel(network, coupling), std::vector<bool>(alive.size(), true));
  Json groups = Json::array();
  for (size_t g = 0; g < costs.size(); ++g) {
    const Group& group = coupling.groups()[g];
    std::vector<std::string> members;
    for (const Member& member : group.members) members.push_back(axis_name(member));
    const int64_t kept = std::count_if(group.units.begin(), group.units.end(),
                                       [&](int unit) { return alive[static_cast<size_t>(unit)]; });
    groups.push_back({{"name", group.name},
                      {"kept", kept},
                      {"of", group.units.size()},
                      {"units_cost_params", costs[g].params},
                      {"units_cost_macs", costs[g].macs},
                      {"members", members},
                      {"frozen", nullptr}});
  }
  for (const FrozenAxis& axis : frozen_widths(coupling))
    groups.push_back({{"name", axis_name(axis.member)},
                      {"kept", axis.stays},
                      {"of", axis.stays},
                      {"units_cost_params", 0},
                      {"units_cost_macs", 0},
                      {"members", {axis_name(axis.member)}},
                      {"frozen", axis.reason}});
  return groups;
}

Json make_report(const Assignment& assignment, const RunData& data, const Graph& network,
                 const Coupling& coupling, const RunResult& result, const Conclusion& conclusion) {
  const Machine machine = this_machine();
  const Stage& last = result.stages.back();
  const Json stages = stages_of(assignment, data, result, conclusion);
  Json report = {
      {"schema_version", kReportVersion},
      {"crrm", {{"version", kVersion}, {"commit", kCommit}}},
      {"command", assignment.command},
      {"config", assignment.config},
      {"seed", assignment.seed},
      {"machine",
       {{"cpu", machine.cpu},
        {"threads", assignment.threads},
        {"memory_bytes", machine.memory_bytes},
        {"gpu", assignment.accelerator.empty() ? Json() : Json(assignment.accelerator)},
        {"libtorch", machine.libtorch}}},
      {"data", data_of(assignment, data)},
      {"model",
       {{"path", assignment.model},
        {"sha256", assignment.model_sha256},
        {"unfolded", assignment.reversal.batch_norm}}},
      {"goals", conclusion.goals},
      {"stages", stages},
      {"curve", finite(result.curve.is_null() ? Json::array() : result.curve)},
      {"groups", describe_groups(network, coupling, result.alive)},
      {"layers", layers_of(network, coupling, last.graph.nodes.empty() ? network : last.graph)},
      {"proof", proofs_of(conclusion.verification.proofs)},
      {"files", files_of(conclusion.files)},
      {"seconds", seconds_of(result)},
      {"cost", cost_of(assignment, conclusion)},
      {"warnings", warnings_of(conclusion)},
      {"partial", conclusion.partial}};
  if (const std::string warning = unpaid_cut(stages, report["layers"]); !warning.empty())
    report["warnings"].push_back(warning);
  validate(report, "report.json");
  return report;
}

}  // namespace crrm
