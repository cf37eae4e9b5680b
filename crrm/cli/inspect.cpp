// crrm inspect MODEL: what can be removed from a network, and what cannot and why.
#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/cli/drawing.h"
#include "crrm/cli/group_text.h"
#include "crrm/cli/task.h"
#include "crrm/cli/wrapped_text.h"
#include "crrm/graph/operator.h"
#include "crrm/graph/shapes.h"
#include "crrm/io/onnx.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// A model, coupled.
struct Inspection {
  std::string model;
  Graph network;
  std::vector<Shape> sample;
  std::vector<std::string> unknown;  ///< operators
  ShapeTable shapes;
  std::unique_ptr<Coupling> coupling;
  Cost whole;
  std::vector<GroupDescription> groups;
  std::vector<FrozenAxis> frozen;  ///< widths
};

std::vector<std::string> unknown_operators(const Graph& network) {
  std::vector<std::string> unknown;
  for (const Node& node : network.nodes)
    for (const Node* found : crrm::unknown_operators(node)) unknown.push_back(describe(*found));
  return unknown;
}

std::vector<Shape> samples(const Settings& settings) {
  const Shape shape = describe_inputs(settings, settings.model).shape;
  return shape.empty() ? std::vector<Shape>{} : std::vector<Shape>{shape};
}

/// The members refer to each other, so it is filled where it lies.
void read(const Settings& settings, Inspection& it) {
  it.model = settings.model;
  it.network = read_onnx(settings.model);
  it.sample = samples(settings);
  it.unknown = unknown_operators(it.network);
  naming(settings.model, [&] {
    fold_shape_arithmetic(it.network, it.sample);
    it.shapes = infer_shapes(it.network, input_shapes(it.network, kCouplingBatch, it.sample));
    it.coupling = std::make_unique<Coupling>(it.network, it.shapes);
    it.whole = CostModel(it.network, *it.coupling)(
        std::vector<bool>(static_cast<size_t>(it.coupling->size()), true));
    it.groups = describe(it.network, *it.coupling);
  });
  for (const FrozenAxis& axis : it.coupling->frozen())
    if (is_width(axis)) it.frozen.push_back(axis);
}

constexpr size_t kWidth = 99;
constexpr size_t kIndent = 4;

void print_list(const std::string& text) {
  std::cout << std::string(kIndent, ' ') << wrapped(text, kIndent, kWidth) << "\n";
}

void print_groups(const Inspection& it, const AxisList& list) {
  constexpr const char* kRow = "{:<{}}  {:>7}  {:>8}  {:>8}{}\n";
  size_t width = std::string("groups:").size();
  for (const GroupDescription& group : it.groups)
    width = std::max(width, 2 + group.group->name.size());
  std::cout << fmt::format(kRow, "groups:", width, "units", "params", "MACs", "  a unit");
  for (const GroupDescription& group : it.groups) {
    std::cout << fmt::format(kRow, "  " + group.group->name, width, group.group->units.size(),
                             format_count(static_cast<double>(group.unit_cost.params)),
                             format_count(static_cast<double>(group.unit_cost.macs)), "");
    print_list(list(group));
    for (const Constraint& constraint : group.constraints) print_list(to_text(constraint));
  }
}

/// What stays for one reason, together.
void print_frozen(const Inspection& it, const AxisList& list) {
  std::vector<std::pair<std::string, std::vector<FrozenAxis>>> reasons;
  for (const FrozenAxis& axis : it.frozen) {
    const std::string why = fmt::format("  {} stay: {}", axis.stays, axis.reason);
    auto known = std::find_if(reasons.begin(), reasons.end(),
                              [&](const auto& reason) { return reason.first == why; });
    if (known == reasons.end()) known = reasons.insert(known, {why, {}});
    known->second.push_back(axis);
  }
  if (!reasons.empty()) std::cout << "frozen:\n";
  for (const auto& [why, axes] : reasons) {
    std::cout << why << "\n";
    print_list(list(*it.coupling, axes));
  }
}

void print_overview(const Inspection& it) {
  std::cout << fmt::format("{}: {} parameters, {} MACs for one sample\n", it.model,
                           format_count(static_cast<double>(it.whole.params)),
                           format_count(static_cast<double>(it.whole.macs)));
  const AxisList list(it.network);
  print_groups(it, list);
  print_frozen(it, list);
  for (const std::string& node : it.unknown)
    std::cout << fmt::format(
        "unknown operator: {}: what it touches is frozen, and the network "
        "cannot be run\n",
        node);
}

Json overview(const Inspection& it) {
  Json groups = Json::array();
  for (const GroupDescription& group : it.groups) groups.push_back(to_json(group));
  for (const FrozenAxis& axis : it.frozen) groups.push_back(to_json(*it.coupling, axis));
  return {{"model", it.model},
          {"params", it.whole.params},
          {"macs", it.whole.macs},
          {"groups", groups},
          {"unknown_operators", it.unknown}};
}

std::vector<std::string> names_of_groups(const Inspection& it) {
  std::vector<std::string> names;
  for (const GroupDescription& group : it.groups) names.push_back(group.group->name);
  return names;
}

/// What was meant by `name`, or where all are listed.
std::string hint_for(const Inspection& it, const std::string& name,
                     const std::vector<std::string>& known) {
  for (const GroupDescription& group : it.groups)
    for (const Member& member : group.group->members)
      if (name_of(member) == name)
        return fmt::format("{} belongs to the group {}", name, group.group->name);
  const std::string near = nearest(name, known);
  return near.empty() ? fmt::format("crrm inspect {} lists them", it.model)
                      : fmt::format("did you mean {}?", near);
}

[[noreturn]] void refuse(const Inspection& it, const std::string& name, const std::string& expected,
                         const std::vector<std::string>& known) {
  throw InputError({.file = it.model,
                    .place = "--group",
                    .expected = expected,
                    .found = fmt::format("\"{}\"", name),
                    .hint = hint_for(it, name, known)});
}

/// A group, or an axis that stays.
void print_one(const Inspection& it, const std::string& name, bool json) {
  for (const GroupDescription& group : it.groups)
    if (group.group->name == name) {
      std::cout << (json ? to_json(group).dump(2) + "\n" : in_full(group, AxisList(it.network)));
      return;
    }
  std::vector<std::string> known = names_of_groups(it);
  for (const FrozenAxis& axis : it.frozen) {
    if (name_of(axis.member) == name) {
      std::cout << (json ? to_json(*it.coupling, axis).dump(2) + "\n"
                         : in_full(*it.coupling, axis));
      return;
    }
    known.push_back(name_of(axis.member));
  }
  refuse(it, name, "the name of a group, or of an axis that stays", known);
}

/// @param only  the group that gets a colour; empty: all do
void print_drawing(const Inspection& it, const std::string& only) {
  const std::vector<std::string> known = names_of_groups(it);
  if (!only.empty() && std::find(known.begin(), known.end(), only) == known.end())
    refuse(it, only, "the name of a group", known);
  const DrawnShapes shapes{
      it.shapes,
      infer_shapes(it.network, input_shapes(it.network, DrawnShapes::kOtherBatch, it.sample))};
  std::cout << draw(it.network, *it.coupling, shapes, only);
}

int inspect(Settings settings, const Invocation&) {
  if (settings.dot && settings.json)
    throw InputError({.file = "crrm inspect",
                      .place = "--dot",
                      .expected = "one of --dot and --json",
                      .found = "both"});
  Inspection it;
  read(settings, it);
  if (settings.dot)
    print_drawing(it, settings.group);
  else if (!settings.group.empty())
    print_one(it, settings.group, settings.json);
  else if (settings.json)
    std::cout << overview(it).dump(2) << "\n";
  else
    print_overview(it);
  return 0;
}

const CommandRegistration registration({
    .name = "inspect",
    .summary = "Shows what can be removed from a network, and what cannot and why",
    .example = "crrm inspect demo/digits.onnx",
    .run = &inspect,
    .computes = false,
});

}  // namespace

}  // namespace crrm::cli
