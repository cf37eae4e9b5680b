#include "crrm/graph/branches.h"

#include <unordered_set>

#include "crrm/base/error.h"

namespace crrm {

namespace {

/// The branch that an If takes in every table, or null.
const Graph* known_branch(const Node& node, const std::vector<ShapeTable>& tables) {
  if (node.op != "If" || !node.domain.empty() || !node.has_input(0)) return nullptr;
  const at::Tensor condition = common_content(tables, node.inputs[0]);
  return condition.defined() ? &branch_of(node, condition) : nullptr;
}

/// Puts nodes of inner graphs into the graph around them.
class Inlining {
 public:
  explicit Inlining(const Graph& graph) {
    for (const auto& [name, tensor] : graph.parameters) taken_.insert(name);
    for (const Port& port : graph.inputs) taken_.insert(port.name);
    for (const Node& node : graph.nodes) {
      taken_.insert(node.name);
      taken_.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  /// Appends to `nodes` those of `branch`, which the If `node` takes.
  void append(const Node& node, const Graph& branch, std::vector<Node>& nodes) {
    check_ports(node, branch);
    names_.clear();
    const size_t own = node.inputs.size() - branch.inputs.size();
    for (size_t i = 0; i < branch.inputs.size(); ++i)
      names_[branch.inputs[i].name] = node.inputs[own + i];
    std::vector<Node> passed;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const std::string &outer = node.outputs[i], &inner = branch.outputs[i].name;
      if (!outer.empty() && !names_.emplace(inner, outer).second)
        passed.push_back(pass(inner, outer));
    }
    for (const Node& inner : branch.nodes) nodes.push_back(renamed(inner));
    nodes.insert(nodes.end(), passed.begin(), passed.end());
  }

 private:
  static void check_ports(const Node& node, const Graph& branch) {
    if (node.inputs.size() < branch.inputs.size() || node.outputs.size() != branch.outputs.size())
      throw InternalError(fmt::format("{} and its branch differ in their ports", describe(node)));
  }

  std::string fresh(const std::string& stem) {
    std::string name = stem;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", stem, i);
    return name;
  }

  Node pass(const std::string& inner, const std::string& outer) {
    return {.op = "Identity",
            .name = fresh(outer + ".branch"),
            .domain = "",
            .inputs = {names_.at(inner)},
            .outputs = {outer},
            .attributes = {}};
  }

  Node renamed(Node node) {
    node.name = fresh(node.name);
    for (std::string& value : node.inputs)
      if (!value.empty()) value = names_.at(value);
    for (std::string& value : node.outputs) {
      if (value.empty()) continue;
      if (!names_.contains(value)) names_[value] = fresh(value);
      value = names_.at(value);
    }
    return node;
  }

  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, std::string> names_;  ///< outside, by the name inside
};

}  // namespace

at::Tensor common_content(const std::vector<ShapeTable>& tables, const std::string& value) {
  at::Tensor content;
  for (const ShapeTable& table : tables) {
    const auto found = table.contents.find(value);
    if (found == table.contents.end()) return {};
    if (content.defined() && !at::equal(content, found->second)) return {};
    content = found->second;
  }
  return content;
}

const Graph& branch_of(const Node& node, const at::Tensor& condition) {
  if (condition.numel() != 1)
    throw InputError({.place = describe(node),
                      .expected = "a condition of one element",
                      .found = fmt::format("shape [{}]", fmt::join(condition.sizes(), ", "))});
  return node.graph(condition.item<bool>() ? "then_branch" : "else_branch");
}

bool take_known_branches(Graph& graph, const std::vector<ShapeTable>& tables) {
  Inlining inlining(graph);
  std::vector<Node> nodes;
  bool any = false;
  for (const Node& node : graph.nodes) {
    const Graph* branch = known_branch(node, tables);
    any |= branch != nullptr;
    if (branch == nullptr)
      nodes.push_back(node);
    else
      inlining.append(node, *branch, nodes);
  }
  graph.nodes = std::move(nodes);
  return any;
}

}  // namespace crrm
