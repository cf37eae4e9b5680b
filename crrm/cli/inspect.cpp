// crrm inspect MODEL: what can be removed from a network, and what cannot and why.
#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/graph/operator.h"
#include "crrm/graph/shapes.h"
#include "crrm/io/onnx.h"
#include "crrm/train/outcome.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> unknown_operators(const Graph& network) {
  std::vector<std::string> unknown;
  for (const Node& node : network.nodes)
    if (find_operator(node) == nullptr) unknown.push_back(describe(node));
  return unknown;
}

std::vector<Shape> samples(const Settings& settings) {
  const Shape shape = describe_inputs(settings, settings.model).shape;
  return shape.empty() ? std::vector<Shape>{} : std::vector<Shape>{shape};
}

/// The first few, and how many more there are.
std::string shortened(const std::vector<std::string>& members) {
  constexpr size_t kShown = 6;
  const size_t shown = std::min(kShown, members.size());
  const std::string text =
      fmt::format("{}", fmt::join(members.begin(), members.begin() + shown, " "));
  return shown == members.size() ? text
                                 : fmt::format("{} and {} more", text, members.size() - shown);
}

void print_group(const Json& group) {
  if (!group["frozen"].is_null()) {
    std::cout << fmt::format("  {}: {} stay: {}\n", group["name"].get<std::string>(),
                             group["of"].get<int64_t>(), group["frozen"].get<std::string>());
    return;
  }
  std::cout << fmt::format("  {}: {} units, each {} parameters and {} MACs; along {}\n",
                           group["name"].get<std::string>(), group["of"].get<int64_t>(),
                           group["units_cost_params"].get<int64_t>(),
                           group["units_cost_macs"].get<int64_t>(), shortened(group["members"]));
}

void print_section(const Json& groups, const std::string& title, bool frozen) {
  std::cout << title << "\n";
  for (const Json& group : groups)
    if (group["frozen"].is_null() != frozen) print_group(group);
}

int inspect(Settings settings, const Invocation&) {
  require(settings, find_command("inspect"), "model");
  Graph network = read_onnx(settings.model);
  const std::vector<Shape> sample = samples(settings);
  const std::vector<std::string> unknown = unknown_operators(network);
  Json result;
  naming(settings.model, [&] {
    fold_shape_arithmetic(network, sample);
    const Coupling coupling(network,
                            infer_shapes(network, input_shapes(network, kCouplingBatch, sample)));
    const std::vector<bool> all(static_cast<size_t>(coupling.size()), true);
    const Cost whole = CostModel(network, coupling)(all);
    result = {{"model", settings.model},
              {"params", whole.params},
              {"macs", whole.macs},
              {"groups", describe_groups(network, coupling, all)},
              {"unknown_operators", unknown}};
  });
  if (settings.json) {
    std::cout << result.dump(2) << "\n";
    return 0;
  }
  std::cout << fmt::format("{}: {} parameters, {} MACs for one sample\n", settings.model,
                           format_count(result["params"]), format_count(result["macs"]));
  print_section(result["groups"], "groups:", false);
  print_section(result["groups"], "frozen:", true);
  for (const std::string& node : unknown)
    std::cout << fmt::format(
        "unknown operator: {}: what it touches is frozen, and the network "
        "cannot be run\n",
        node);
  return 0;
}

const CommandRegistration registration({
    .name = "inspect",
    .summary = "Shows what can be removed from a network, and what cannot and why",
    .example = "crrm inspect demo/digits.onnx",
    .run = &inspect,
});

}  // namespace

}  // namespace crrm::cli
