// crrm inspect MODEL: what can be removed from a network, and what cannot and why.
#include <iostream>
#include <map>

#include "crrm/base/amount.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/cli/wrapped_text.h"
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

constexpr size_t kWidth = 99;
constexpr size_t kIndent = 4;

/// "bn1.running_mean[0]" as its layer, "bn1.", and its axis, "[0]".
struct AxisName {
  explicit AxisName(const std::string& text) {
    const size_t bracket = text.rfind('[');
    layer = text.substr(0, text.rfind('.', bracket) + 1);  // npos + 1 = 0: of no layer
    axis = text.substr(bracket);
  }
  bool operator==(const AxisName&) const = default;

  std::string layer, axis;
};

/// How many parameters each layer has.
std::map<std::string, size_t> count_parameters(const Graph& network) {
  std::map<std::string, size_t> counts;
  for (const auto& [name, tensor] : network.parameters) ++counts[AxisName(name + "[]").layer];
  return counts;
}

/// The axes, with "bn1.*[0]" for those of all parameters of a layer.
std::string shortened(const std::vector<std::string>& axes,
                      const std::map<std::string, size_t>& counts) {
  std::vector<std::string> words;
  for (size_t i = 0; i < axes.size();) {
    const AxisName name(axes[i]);
    size_t end = i + 1;
    while (end < axes.size() && AxisName(axes[end]) == name) ++end;
    if (end - i > 1 && !name.layer.empty() && end - i == counts.at(name.layer))
      words.push_back(name.layer + "*" + name.axis);
    else
      words.insert(words.end(), axes.begin() + i, axes.begin() + end);
    i = end;
  }
  return fmt::format("{}", fmt::join(words, " "));
}

void print_list(const std::string& text) {
  std::cout << std::string(kIndent, ' ') << wrapped(text, kIndent, kWidth) << "\n";
}

void print_groups(const Json& groups, const std::map<std::string, size_t>& counts) {
  constexpr const char* kRow = "{:<{}}  {:>7}  {:>8}  {:>8}{}\n";
  size_t width = std::string("groups:").size();
  for (const Json& group : groups)
    if (group["frozen"].is_null())
      width = std::max(width, 2 + group["name"].get<std::string>().size());
  std::cout << fmt::format(kRow, "groups:", width, "units", "params", "MACs", "  a unit");
  for (const Json& group : groups) {
    if (!group["frozen"].is_null()) continue;
    std::cout << fmt::format(kRow, "  " + group["name"].get<std::string>(), width,
                             group["of"].get<int64_t>(), format_count(group["units_cost_params"]),
                             format_count(group["units_cost_macs"]), "");
    print_list(shortened(group["members"], counts));
  }
}

/// What stays for one reason, together.
void print_frozen(const Json& groups, const std::map<std::string, size_t>& counts) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const Json& group : groups) {
    if (group["frozen"].is_null()) continue;
    const std::string why = fmt::format("  {} stay: {}", group["of"].get<int64_t>(),
                                        group["frozen"].get<std::string>());
    auto known = std::find_if(reasons.begin(), reasons.end(),
                              [&](const auto& reason) { return reason.first == why; });
    if (known == reasons.end()) known = reasons.insert(known, {why, {}});
    known->second.push_back(group["name"]);
  }
  if (!reasons.empty()) std::cout << "frozen:\n";
  for (const auto& [why, axes] : reasons) {
    std::cout << why << "\n";
    print_list(shortened(axes, counts));
  }
}

int inspect(Settings settings, const Invocation&) {
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
  const std::map<std::string, size_t> counts = count_parameters(network);
  print_groups(result["groups"], counts);
  print_frozen(result["groups"], counts);
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
