#include "crrm/architectures/fresh_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <set>

#include "crrm/base/random.h"
#include "crrm/coupling/cost.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

NodeShapes shapes_of(const Node& node, const ShapeTable& table) {
  const auto shape = [&](const std::string& value) {
    const auto found = table.shapes.find(value);
    return found == table.shapes.end() ? Shape{} : found->second;
  };
  NodeShapes shapes;
  for (const std::string& value : node.inputs) shapes.inputs.push_back(shape(value));
  for (const std::string& value : node.outputs) shapes.outputs.push_back(shape(value));
  return shapes;
}

/// Multiply-accumulates an output; where the reader only moves the weight, what one row holds.
double fan_in(const Operator& op, const Node& node, const ShapeTable& table,
              const at::Tensor& weight) {
  const NodeShapes shapes = shapes_of(node, table);
  const double macs = static_cast<double>(op.macs(node, shapes));
  return macs > 0 ? macs / static_cast<double>(elements(shapes.outputs[0]))
                  : static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
}

/// Whether `node`, of operator `op`, rectifies what follows the layer without another between.
bool rectifies(const Operator& op, const Node& node, const std::set<std::string>& reached) {
  const auto is_reached = [&](const std::string& value) { return reached.contains(value); };
  switch (op.rectifies()) {
    case Operator::Rectifies::never:
      return false;
    case Operator::Rectifies::always:
      return true;
    case Operator::Rectifies::of_one_value:
      return std::all_of(node.inputs.begin(), node.inputs.end(), is_reached);
  }
  return false;
}

/// Of the layer's variance, as its outputs keep that of its inputs.
double gain(const Graph& graph, const Node& layer, const ShapeTable& table) {
  constexpr double kRectified = 2, kLinear = 1;
  std::set<std::string> reached(layer.outputs.begin(), layer.outputs.end());
  for (const Node* node = &layer + 1; node != graph.nodes.data() + graph.nodes.size(); ++node) {
    const bool reads = std::any_of(node->inputs.begin(), node->inputs.end(),
                                   [&](const std::string& x) { return reached.contains(x); });
    if (!reads) continue;
    const Operator* op = find_operator(*node);
    if (op == nullptr) continue;
    if (rectifies(*op, *node, reached)) return kRectified;
    const bool mixes = !op->pointwise() && op->macs(*node, shapes_of(*node, table)) > 0;
    if (!mixes) reached.insert(node->outputs.begin(), node->outputs.end());
  }
  return kLinear;
}

/// Of ONNX's normalisations input 1 scales and the others shift.
double plain_value(const Operator& op, size_t input) {
  constexpr size_t kScale = 1;
  return op.neutral().value_or(input == kScale ? 1.0 : 0.0);
}

void reset_statistics(Graph& graph, const Node& norm) {
  constexpr size_t kMean = 3, kVariance = 4;
  for (const auto& [input, value] : {std::pair(kMean, 0.0), {kVariance, 1.0}}) {
    at::Tensor& statistic = graph.parameters.at(norm.inputs[input]);
    statistic = at::full_like(statistic, value);
  }
}

}  // namespace

void draw_fresh_weights(Graph& graph, const std::vector<Shape>& sample, uint64_t seed) {
  const ShapeTable table = infer_shapes(graph, input_shapes(graph, kCouplingBatch, sample));
  std::set<std::string> pending;
  for (const std::string& name : learned_parameters(graph)) pending.insert(name);
  uint64_t draws = 0;
  for (const Node& node : graph.nodes) {
    const Operator* op = find_operator(node);
    if (op == nullptr) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (pending.erase(node.inputs[i]) == 0) continue;
      at::Tensor& parameter = graph.parameters.at(node.inputs[i]);
      if (parameter.dim() < 2 || op->neutral()) {
        parameter = at::full_like(parameter, plain_value(*op, i));
        continue;
      }
      const at::Tensor unit =
          at::randn(parameter.sizes(), at::detail::createCPUGenerator(mix(seed, ++draws)),
                    at::TensorOptions(at::kDouble));
      const double variance = gain(graph, node, table) / fan_in(*op, node, table, parameter);
      parameter = (unit * std::sqrt(variance)).to(parameter.scalar_type());
    }
    if (node.op == "BatchNormalization" && node.domain.empty()) reset_statistics(graph, node);
  }
}

}  // namespace crrm
