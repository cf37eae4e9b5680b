#include "crrm/graph/operator.h"

#include <map>

#include "crrm/base/error.h"

namespace crrm {

namespace {

using Key = std::pair<std::string, std::string>;  // domain, operator

std::map<Key, std::unique_ptr<Operator>>& registry() {
  static std::map<Key, std::unique_ptr<Operator>> operators;
  return operators;
}

}  // namespace

bool register_operator(const std::string& domain, const std::string& op,
                       std::unique_ptr<Operator> implementation) {
  const bool added = registry().emplace(Key{domain, op}, std::move(implementation)).second;
  if (!added) throw InternalError("operator registered twice: " + op);
  return true;
}

const Operator* find_operator(const Node& node) {
  const auto found = registry().find({node.domain, node.op});
  return found == registry().end() ? nullptr : found->second.get();
}

const Operator& get_operator(const Node& node) {
  if (const Operator* found = find_operator(node)) return *found;
  throw InputError(
      {.place = describe(node),
       .expected = "an operator that crrm can run",
       .found = fmt::format("{}{}{}", node.domain, node.domain.empty() ? "" : ".", node.op),
       .hint = suggestion(node.op, known_operators())});
}

std::vector<const Node*> unknown_operators(const Node& node) {
  std::vector<const Node*> unknown;
  if (find_operator(node) == nullptr) unknown.push_back(&node);
  for (const Graph* graph : node.graphs())
    for (const Node& inner : graph->nodes)
      for (const Node* found : unknown_operators(inner)) unknown.push_back(found);
  return unknown;
}

std::vector<std::string> known_operators() {
  std::vector<std::string> names;
  for (const auto& [key, implementation] : registry())
    if (key.first.empty()) names.push_back(key.second);
  return names;
}

}  // namespace crrm
