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
      parameter =
          (unit * std::sqrt(2.0 / fan_in(*op, node, table, parameter))).to(parameter.scalar_type());
    }
    if (node.op == "BatchNormalization" && node.domain.empty()) reset_statistics(graph, node);
  }
}

}  // namespace crrm
