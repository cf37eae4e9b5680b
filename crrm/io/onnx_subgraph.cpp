#include "crrm/io/onnx_subgraph.h"

#include <functional>
#include <unordered_set>

#include "crrm/base/error.h"

namespace crrm::onnx {

namespace {

using Names = std::unordered_set<std::string>;
using Renaming = std::unordered_map<std::string, std::string>;

/// `stem`, or else with a number behind it. Numbers are searched for by doubling and halving: a
/// file may hold one name any number of times.
std::string fresh(const std::string& stem, const std::function<bool(const std::string&)>& taken) {
  if (!taken(stem)) return stem;
  const auto numbered = [&](int64_t number) { return fmt::format("{}_{}", stem, number); };
  int64_t last = 0, free = 1;
  for (; taken(numbered(free)); free *= 2) last = free;
  while (free - last > 1) {
    const int64_t middle = last + (free - last) / 2;
    (taken(numbered(middle)) ? last : free) = middle;
  }
  return numbered(free);
}

/// Lets `change` replace each graph that the node holds.
void change_graphs(Node& node, const std::function<void(Graph&)>& change) {
  for (auto& [key, value] : node.attributes) {
    const auto* held = std::get_if<std::shared_ptr<const Graph>>(&value);
    if (held == nullptr) continue;
    Graph graph = **held;
    change(graph);
    value = std::make_shared<const Graph>(std::move(graph));
  }
}

Names written(const Graph& graph) {
  Names names;
  for (const Node& node : graph.nodes) names.insert(node.outputs.begin(), node.outputs.end());
  return names;
}

Names own_names(const Graph& graph) {
  Names names = written(graph);
  for (const auto& [name, tensor] : graph.parameters) names.insert(name);
  return names;
}

/// What the nodes read and neither a node nor a parameter is, in the order of reading.
std::vector<std::string> outer_values(const Graph& graph) {
  Names seen = own_names(graph);
  std::vector<std::string> outer;
  for (const Node& node : graph.nodes)
    for (const std::string& value : node.inputs)
      if (!value.empty() && seen.insert(value).second) outer.push_back(value);
  return outer;
}

void rename(Graph& graph, const Renaming& names) {
  const auto apply = [&](std::string& value) {
    if (const auto found = names.find(value); found != names.end()) value = found->second;
  };
  for (Port& port : graph.inputs) apply(port.name);
  for (Port& port : graph.outputs) apply(port.name);
  for (Node& node : graph.nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), apply);
    std::for_each(node.outputs.begin(), node.outputs.end(), apply);
  }
}

/// Moves parameters outwards, each under a name that nothing else has at any depth.
class Lifting {
 public:
  void run(Graph& network) {
    for (const Port& port : network.inputs) ++count_[port.name];
    count(network);
    lift(network);
  }

 private:
  void count(const Graph& graph) {
    for (const auto& [name, tensor] : graph.parameters) ++count_[name];
    for (const Node& node : graph.nodes) {
      for (const std::string& value : node.outputs) ++count_[value];
      for (const Graph* inner : node.graphs()) count(*inner);
    }
  }

  std::string unique(const std::string& name) {
    if (count_[name] == 1) return name;
    std::string other = fresh(name, [&](const std::string& n) { return count_.contains(n); });
    count_[other] = 1;
    return other;
  }

  void lift(Graph& graph) {
    for (Node& node : graph.nodes) {
      change_graphs(node, [&](Graph& inner) {
        lift(inner);
        Renaming names;
        for (auto& [name, tensor] : inner.parameters) {
          names[name] = unique(name);
          graph.parameters.emplace(names[name], std::move(tensor));
        }
        inner.parameters.clear();
        rename(inner, names);
      });
      capture(node);
    }
  }

  std::unordered_map<std::string, int> count_;  ///< how many parameters and values have a name
};

/// Names the inputs of inner graphs as outside, and what would hide one of `outer` anew.
/// @param outer  the names of the graphs around; the same again afterwards
void name_as_outside(Graph& graph, Names& outer) {
  std::vector<std::string> added;
  const auto add = [&](const std::string& name) {
    if (outer.insert(name).second) added.push_back(name);
  };
  for (const auto& [name, tensor] : graph.parameters) add(name);
  for (const Port& port : graph.inputs) add(port.name);
  for (const std::string& name : written(graph)) add(name);
  for (Node& node : graph.nodes)
    change_graphs(node, [&](Graph& inner) {
      if (node.inputs.size() < inner.inputs.size())
        throw InternalError(describe(node) + " has fewer inputs than its graph");
      const size_t own = node.inputs.size() - inner.inputs.size();
      Renaming names;
      const Names inside = written(inner);
      Names given;
      for (const std::string& value : inside)
        if (!value.empty() && outer.contains(value)) {
          names[value] = fresh(value, [&](const std::string& n) {
            return outer.contains(n) || inside.contains(n) || given.contains(n);
          });
          given.insert(names[value]);
        }
      for (size_t i = 0; i < inner.inputs.size(); ++i)
        names[inner.inputs[i].name] = node.inputs[own + i];
      rename(inner, names);
      name_as_outside(inner, outer);
    });
  for (const std::string& name : added) outer.erase(name);
}

void drop_captures(Graph& graph) {
  for (Node& node : graph.nodes) {
    const std::vector<const Graph*> graphs = node.graphs();
    if (graphs.empty()) continue;
    node.inputs.resize(node.inputs.size() - graphs[0]->inputs.size());
    change_graphs(node, [](Graph& inner) {
      inner.inputs.clear();
      drop_captures(inner);
    });
  }
}

}  // namespace

void write_outputs(Graph& graph) {
  Names free = written(graph);
  Names taken = own_names(graph);
  for (const Node& node : graph.nodes) taken.insert(node.inputs.begin(), node.inputs.end());
  for (Port& port : graph.outputs) {
    if (free.erase(port.name) > 0) continue;
    const std::string output =
        fresh(port.name + "_output", [&](const std::string& n) { return taken.contains(n); });
    taken.insert(output);
    graph.nodes.push_back({.op = "Identity",
                           .name = "",
                           .domain = "",
                           .inputs = {port.name},
                           .outputs = {output},
                           .attributes = {}});
    port.name = output;
  }
}

void capture(Node& node) {
  const std::vector<const Graph*> graphs = node.graphs();
  if (graphs.empty()) return;
  node.inputs.resize(node.inputs.size() - graphs[0]->inputs.size());
  std::vector<Port> ports;
  Names seen;
  for (const Graph* graph : graphs)
    for (const std::string& value : outer_values(*graph)) {
      if (!seen.insert(value).second) continue;
      ports.push_back({.name = value, .type = at::kFloat, .shape = {}, .symbols = {}});
      node.inputs.push_back(value);
    }
  change_graphs(node, [&](Graph& graph) {
    graph.inputs = ports;
    const Names own = own_names(graph);  // may hide what another branch reads
    for (Port& port : graph.inputs)
      if (own.contains(port.name))
        port.name = fresh(port.name, [&](const std::string& name) {
          return own.contains(name) || !seen.insert(name).second;
        });
  });
}

void lift_parameters(Graph& network) {
  Lifting().run(network);
  Names none;
  name_as_outside(network, none);
}

Graph without_captures(const Graph& network) {
  Graph open = network;
  Names none;
  name_as_outside(open, none);
  drop_captures(open);
  return open;
}

}  // namespace crrm::onnx
