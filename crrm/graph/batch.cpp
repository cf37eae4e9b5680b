#include "crrm/graph/batch.h"

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "crrm/graph/shapes.h"

namespace crrm {

namespace {

constexpr int64_t kOther = 11;  // a batch unlike usual extents
constexpr const char* kHint =
    "the file is made for a fixed number of samples: export it with a dynamic batch";

int64_t stated_batch(const Graph& graph) {
  for (const Port& port : graph.inputs)
    if (!port.shape.empty() && port.shape[0] > 0) return port.shape[0];
  return 0;
}

/// The target shape of a node without the batch that it states; empty where it states none.
std::vector<int64_t> free_target(const Graph& graph, const Node& node, const ShapeTable& shapes,
                                 int64_t batch) {
  const Operator* op = find_operator(node);
  if (op == nullptr || node.inputs.size() < 2 || !shapes.knows(node.inputs[0])) return {};
  const auto stated = graph.parameters.find(node.inputs[1]);
  Shape input = shapes.at(node.inputs[0]);
  if (stated == graph.parameters.end() || !op->shape_depends_on_value(1) || input.empty() ||
      input[0] != batch || stated->second.dim() != 1 || stated->second.numel() == 0 ||
      stated->second[0].item<int64_t>() != batch)
    return {};
  at::Tensor other = stated->second.clone();
  other[0] = kOther;
  const Shape before = input;
  input[0] = kOther;
  return op->batch_free_target(node, stated->second, other, before, input);
}

void require_batch(const Graph& graph, const ShapeTable& before, const ShapeTable& after) {
  for (const Port& output : graph.outputs) {
    if (!before.knows(output.name) || !after.knows(output.name)) continue;
    Shape expected = before.at(output.name);
    if (!expected.empty()) expected[0] = kOther;
    if (expected == after.at(output.name) && !expected.empty()) continue;
    throw InputError(
        {.place = fmt::format("output \"{}\"", output.name),
         .expected = fmt::format("[{}] for {} samples", fmt::join(expected, ", "), kOther),
         .found = fmt::format("[{}]", fmt::join(after.at(output.name), ", ")),
         .hint = kHint});
  }
}

ShapeTable infer_other(const Graph& graph, const std::vector<Shape>& sample) try {
  return infer_shapes(graph, input_shapes(graph, kOther, sample));
} catch (const InputError& error) {
  Fault fault = error.fault();
  fault.hint = kHint;
  throw InputError(fault);
}

}  // namespace

int64_t free_batch(Graph& graph, const std::vector<Shape>& sample) {
  const int64_t batch = stated_batch(graph);
  if (batch == 0) return 0;
  const ShapeTable before = infer_shapes(graph, input_shapes(graph, batch, sample));
  for (Node& node : graph.nodes) {
    const std::vector<int64_t> target = free_target(graph, node, before, batch);
    if (target.empty()) continue;
    const std::string name = graph.fresh_name(node.name + ".target");
    graph.parameters[name] = at::tensor(target, at::kLong);
    node.inputs[1] = name;
  }
  for (Port& port : graph.inputs)
    if (!port.shape.empty()) port.shape[0] = -1;
  for (Port& port : graph.outputs)
    if (!port.shape.empty()) port.shape[0] = -1;
  drop_unread(graph);
  require_batch(graph, before, infer_other(graph, sample));
  return batch;
}

void fix_batch(Graph& graph, int64_t batch) {
  if (batch == 0) return;
  for (Port& port : graph.inputs)
    if (!port.shape.empty()) port.shape[0] = batch;
  for (Port& port : graph.outputs)
    if (!port.shape.empty()) port.shape[0] = batch;
}

}  // namespace crrm
