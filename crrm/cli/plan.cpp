#include "crrm/cli/plan.h"

#include "crrm/base/amount.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

Json goals_of(const Plan& plan, const CostModel& model) {
  const Cost dense = model(std::vector<bool>(static_cast<size_t>(plan.coupling.size()), true));
  const Cost least = smallest_cost(plan.coupling, model, plan.options.gates.rounding);
  Json goals = Json::array();
  for (const Target& target : plan.assignment.targets) {
    const Resource resource = target.limit.resource;
    goals.push_back({{"kind", name(resource)},
                     {"limit", target.limit.most},
                     {"limit_text", target.text},
                     {"smallest", amount(least, resource)},
                     {"smallest_text", describe(amount(least, resource), resource)},
                     {"dense", amount(dense, resource)},
                     {"dense_text", describe(amount(dense, resource), resource)}});
  }
  return goals;
}

std::string text(const Json& plan, const char* key) {
  return plan[key].get<std::string>();
}

std::string group_line(const Json& group) {
  if (!group["frozen"].is_null())
    return fmt::format("  {}: {} frozen: {}\n", text(group, "name"), group["of"].get<int64_t>(),
                       text(group, "frozen"));
  return fmt::format("  {}: {} units, each {} parameters and {} MACs\n", text(group, "name"),
                     group["of"].get<int64_t>(), group["units_cost_params"].get<int64_t>(),
                     group["units_cost_macs"].get<int64_t>());
}

}  // namespace

Json to_json(const Plan& plan) {
  const std::vector<bool> all(static_cast<size_t>(plan.coupling.size()), true);
  const CostModel model(plan.network, plan.coupling, plan.options.gates.pricing);
  return {{"metric", plan.assignment.metric},
          {"held_out_metric", plan.dense ? Json(plan.dense->metric) : Json()},
          {"goals", goals_of(plan, model)},
          {"macs", model(all).macs},
          {"params", model(all).params},
          {"groups", describe_groups(plan.network, plan.coupling, all)},
          {"steps", plan.check.steps},
          {"seconds", plan.check.seconds},
          {"memory_bytes", plan.check.memory_bytes},
          {"disk_bytes", plan.check.disk_bytes}};
}

std::string plan_text(const Json& plan, const std::string& subject) {
  std::string lines = fmt::format("{} has {} MACs and {} parameters.\n", subject,
                                  format_count(plan["macs"]), format_count(plan["params"]));
  for (const Json& goal : plan["goals"])
    lines += fmt::format("  at most {}: it can have from {} to {}\n", text(goal, "limit_text"),
                         text(goal, "smallest_text"), text(goal, "dense_text"));
  for (const Json& group : plan["groups"]) lines += group_line(group);
  return lines + fmt::format("{} steps, about {}; {} of memory, {} of disk. Nothing was written.\n",
                             plan["steps"].get<int64_t>(), format_duration(plan["seconds"]),
                             format_bytes(plan["memory_bytes"]), format_bytes(plan["disk_bytes"]));
}

}  // namespace crrm::cli
