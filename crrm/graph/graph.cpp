#include "crrm/graph/graph.h"

#include <unordered_set>

#include "crrm/base/error.h"

namespace crrm {

namespace {

std::vector<std::string> keys(const std::map<std::string, Attribute>& attributes) {
  std::vector<std::string> names;
  for (const auto& [name, value] : attributes) names.push_back(name);
  return names;
}

template <typename T>
const T& attribute(const Node& node, const std::string& key, const char* type) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end())
    throw InputError(
        {.place = describe(node),
         .expected = fmt::format("attribute `{}` ({})", key, type),
         .found = fmt::format("attributes: {}", fmt::join(keys(node.attributes), ", "))});
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("attribute `{}` of type {}", key, type),
                      .found = "another type"});
  return *value;
}

}  // namespace

int64_t Node::integer(const std::string& key) const {
  return attribute<int64_t>(*this, key, "int");
}
double Node::real(const std::string& key) const {
  return attribute<double>(*this, key, "float");
}
const std::string& Node::text(const std::string& key) const {
  return attribute<std::string>(*this, key, "string");
}
const std::vector<int64_t>& Node::integers(const std::string& key) const {
  return attribute<std::vector<int64_t>>(*this, key, "ints");
}
const at::Tensor& Node::tensor(const std::string& key) const {
  return attribute<at::Tensor>(*this, key, "tensor");
}
const Graph& Node::graph(const std::string& key) const {
  return *attribute<std::shared_ptr<const Graph>>(*this, key, "graph");
}
std::vector<const Graph*> Node::graphs() const {
  std::vector<const Graph*> result;
  for (const auto& [key, value] : attributes)
    if (const auto* held = std::get_if<std::shared_ptr<const Graph>>(&value))
      result.push_back(held->get());
  return result;
}

int64_t Node::integer(const std::string& key, int64_t fallback) const {
  return has(key) ? integer(key) : fallback;
}
double Node::real(const std::string& key, double fallback) const {
  return has(key) ? real(key) : fallback;
}
std::string Node::text(const std::string& key, const std::string& fallback) const {
  return has(key) ? text(key) : fallback;
}
std::vector<int64_t> Node::integers(const std::string& key, std::vector<int64_t> fallback) const {
  return has(key) ? integers(key) : fallback;
}

std::string describe(const Node& node) {
  const std::string op = node.domain.empty() ? node.op : node.domain + "." + node.op;
  return fmt::format("node \"{}\" ({})", node.name, op);
}

std::string Graph::fresh_name(const std::string& stem) const {
  std::unordered_set<std::string> taken;
  for (const auto& [name, tensor] : parameters) taken.insert(name);
  for (const Port& port : inputs) taken.insert(port.name);
  for (const Node& node : nodes) {
    taken.insert(node.name);
    taken.insert(node.outputs.begin(), node.outputs.end());
  }
  std::string name = stem;
  for (int i = 1; taken.contains(name); ++i) name = fmt::format("{}_{}", stem, i);
  return name;
}

std::unordered_map<std::string, size_t> writers(const Graph& graph) {
  std::unordered_map<std::string, size_t> result;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const std::string& value : graph.nodes[i].outputs)
      if (!value.empty()) result[value] = i;
  return result;
}

std::unordered_map<std::string, std::vector<size_t>> readers(const Graph& graph) {
  std::unordered_map<std::string, std::vector<size_t>> result;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const std::string& value : graph.nodes[i].inputs) {
      if (value.empty()) continue;
      std::vector<size_t>& nodes = result[value];
      if (nodes.empty() || nodes.back() != i) nodes.push_back(i);
    }
  return result;
}

Graph clone(const Graph& graph) {
  Graph copy = graph;
  for (auto& [name, tensor] : copy.parameters) tensor = tensor.detach().clone();
  return copy;
}

void drop_unread(Graph& graph) {
  std::unordered_set<std::string> needed;
  for (const Port& port : graph.outputs) needed.insert(port.name);
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool read = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](const std::string& value) { return needed.contains(value); });
    if (!read) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    kept.push_back(std::move(*node));
  }
  graph.nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  std::erase_if(graph.parameters, [&](const auto& entry) { return !needed.contains(entry.first); });
}

void check(const Graph& graph, const std::string& file) {
  std::unordered_set<std::string> known;
  const auto write = [&](const std::string& value, const std::string& place) {
    if (!known.insert(value).second)
      throw InputError({.file = file,
                        .place = place,
                        .expected = "each value written once",
                        .found = fmt::format("\"{}\" written again", value)});
  };
  for (const auto& [name, tensor] : graph.parameters) known.insert(name);
  for (const Port& port : graph.inputs) write(port.name, "input");
  for (const Node& node : graph.nodes) {
    for (const std::string& value : node.inputs)
      if (!value.empty() && !known.contains(value))
        throw InputError(
            {.file = file,
             .place = describe(node),
             .expected = "inputs that an earlier node, an input or an initializer writes",
             .found = fmt::format("\"{}\", which nothing before it writes", value)});
    for (const Graph* inner : node.graphs()) check(*inner, file);
    for (const std::string& value : node.outputs)
      if (!value.empty()) write(value, describe(node));
  }
  if (graph.outputs.empty())
    throw InputError(
        {.file = file, .place = "graph", .expected = "at least one output", .found = "none"});
  for (const Port& port : graph.outputs)
    if (!known.contains(port.name))
      throw InputError({.file = file,
                        .place = fmt::format("output \"{}\"", port.name),
                        .expected = "a value that some node writes",
                        .found = "no such value"});
}

}  // namespace crrm
