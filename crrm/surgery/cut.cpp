#include "crrm/surgery/cut.h"

#include <limits>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/surgery/fold.h"

namespace crrm {

namespace {

/// Parameter by parameter: only the indices that stay.
void select_parameters(Graph& graph, const Graph& original, const Shrinkage::Kept& kept) {
  for (const auto& [name, tensor] : original.parameters) {
    const auto found = kept.find(name);
    if (found == kept.end()) continue;
    graph.parameters[name] = take(tensor.detach(), found->second);
  }
}

/// Ports whose extents are known keep them: the network's door does not change.
void check_shapes(const Graph& graph, const Coupling& coupling, const Shrinkage::Kept& kept) {
  std::vector<Shape> inputs;
  for (const Port& port : graph.inputs) inputs.push_back(coupling.shapes().at(port.name));
  const ShapeTable found = infer_shapes(graph, inputs);
  for (const auto& [value, axes] : kept) {
    if (!found.knows(value)) continue;  // dropped, or behind an unknown operator
    for (size_t a = 0; a < axes.size(); ++a) {
      const int64_t expected = axes[a].extent();
      if (found.at(value)[a] != expected)
        throw InternalError(
            fmt::format("after the cut axis {} of \"{}\" has extent {}, expected {}", a, value,
                        found.at(value)[a], expected));
    }
  }
}

}  // namespace

Graph cut(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive) {
  const auto [folded, kept] = fold_branches(graph, coupling, alive);
  Graph smaller = folded;
  smaller.nodes.clear();
  Shrinkage shrinkage(smaller, coupling.shapes(), kept);
  for (Node node : folded.nodes) {
    if (const Operator* op = find_operator(node)) op->shrink(node, shrinkage);
    smaller.nodes.push_back(std::move(node));
    for (Node& next : shrinkage.take_appended()) smaller.nodes.push_back(std::move(next));
  }
  select_parameters(smaller, folded, kept);
  drop_unread(smaller);
  check_shapes(smaller, coupling, kept);
  return smaller;
}

Graph to_type(const Graph& graph, at::ScalarType type) {
  Graph converted = graph;
  for (auto& [name, tensor] : converted.parameters)
    if (tensor.is_floating_point()) tensor = tensor.detach().to(type);
  for (Port& port : converted.inputs)
    if (at::isFloatingType(port.type)) port.type = type;
  return converted;
}

Difference difference(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) throw InternalError("different numbers of outputs compared");
  Difference worst;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].sizes() != b[i].sizes()) throw InternalError("outputs of different shapes compared");
    if (a[i].numel() == 0) continue;
    const at::Tensor x = a[i].to(at::kDouble), y = b[i].to(at::kDouble);
    double absolute = at::abs(x - y).max().item<double>();
    if (std::isnan(absolute)) absolute = std::numeric_limits<double>::infinity();
    const double scale = std::max(1.0, at::abs(x).max().item<double>());
    worst.absolute = std::max(worst.absolute, absolute);
    worst.relative = std::max(worst.relative, std::isnan(scale) ? absolute : absolute / scale);
  }
  return worst;
}

}  // namespace crrm
