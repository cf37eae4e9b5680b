#include "crrm/graph/shapes.h"

#include "crrm/base/error.h"
#include "crrm/graph/branches.h"
#include "crrm/graph/operator.h"
#include "crrm/graph/shuffle.h"

namespace crrm {

const Shape& ShapeTable::at(const std::string& value) const {
  const auto found = shapes.find(value);
  if (found == shapes.end()) throw InternalError("no shape of value " + value);
  return found->second;
}

std::vector<Shape> input_shapes(const Graph& graph, int64_t batch,
                                const std::vector<Shape>& given) {
  std::vector<Shape> result;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    Shape shape = graph.inputs[i].shape;
    if (i < given.size() && !given[i].empty()) {
      shape.resize(1);
      shape.insert(shape.end(), given[i].begin(), given[i].end());
    }
    if (!shape.empty() && shape[0] < 0) shape[0] = batch;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (shape[axis] < 0)
        throw InputError({.place = fmt::format("input \"{}\"", graph.inputs[i].name),
                          .expected = "fixed extents but for the batch axis",
                          .found = fmt::format("axis {} is dynamic", axis),
                          .hint = "say the shape of one sample, as in --shape 3x32x32"});
    result.push_back(std::move(shape));
  }
  return result;
}

namespace {

bool is_real(const at::Tensor& tensor) {
  return tensor.defined() && !tensor.is_meta();
}

/// Integer parameters and scalars take part in shape arithmetic; weights never do.
bool is_shape_constant(const at::Tensor& tensor) {
  return at::isIntegralType(tensor.scalar_type(), /*includeBool=*/true) || tensor.numel() <= 1;
}

class Inference {
 public:
  Inference(const Graph& graph, const std::vector<Shape>& inputs) : graph_(graph) {
    for (const auto& [name, tensor] : graph.parameters)
      set(name, is_shape_constant(tensor) ? tensor : tensor.to(at::kMeta));
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      set(graph.inputs[i].name,
          at::empty(inputs.at(i), at::TensorOptions(graph.inputs[i].type).device(at::kMeta)));
  }

  ShapeTable run() {
    for (const Node& node : graph_.nodes) visit(node);
    for (const auto& [name, tensor] : values_)
      if (is_real(tensor)) table_.contents[name] = tensor;
    return std::move(table_);
  }

 private:
  void set(const std::string& name, const at::Tensor& tensor) {
    values_[name] = tensor;
    table_.shapes[name] = tensor.sizes().vec();
  }

  static Tensors forward(const Node& node, const Tensors& inputs) {
    try {
      return get_operator(node).forward(node, inputs, /*training=*/false);
    } catch (const c10::Error& error) {
      std::vector<std::string> shapes;
      for (const at::Tensor& input : inputs)
        shapes.push_back(input.defined() ? fmt::format("[{}]", fmt::join(input.sizes(), ", "))
                                         : "-");
      throw InputError({.place = describe(node),
                        .expected = "inputs whose shapes fit the operator",
                        .found = fmt::format("{}: {}", fmt::join(shapes, ", "),
                                             error.what_without_backtrace())});
    }
  }

  /// The content of a value that follows from parameters alone, as the scales of a Resize may;
  /// undefined where it does not, or not in `depth` steps.
  at::Tensor constant(const std::string& name, int depth) const {
    if (const auto found = graph_.parameters.find(name); found != graph_.parameters.end())
      return found->second;
    const auto writer = writers_.find(name);
    if (writer == writers_.end() || depth == 0) return {};
    const Node& node = graph_.nodes[writer->second];
    Tensors inputs;
    for (const std::string& input : node.inputs) {
      inputs.push_back(input.empty() ? at::Tensor() : constant(input, depth - 1));
      if (!input.empty() && !inputs.back().defined()) return {};
    }
    const Tensors outputs = forward(node, inputs);
    const auto place = std::find(node.outputs.begin(), node.outputs.end(), name);
    return outputs.at(static_cast<size_t>(place - node.outputs.begin()));
  }

  /// Real tensors when all are, else meta tensors but for those whose content decides the shape.
  Tensors gather(const Node& node, const Operator& op) {
    Tensors inputs;
    for (const std::string& name : node.inputs)
      inputs.push_back(name.empty() ? at::Tensor() : values_.at(name));
    const bool all_real = std::all_of(inputs.begin(), inputs.end(), [](const at::Tensor& input) {
      return !input.defined() || is_real(input);
    });
    if (all_real) return inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined()) continue;
      if (op.shape_depends_on_value(i)) {
        if (is_real(inputs[i])) continue;
        const at::Tensor known = constant(node.inputs[i], kDeepest);
        if (!known.defined()) continue;
        inputs[i] = known;
        if (!graph_.is_parameter(node.inputs[i])) values_[node.inputs[i]] = known;
      } else if (is_real(inputs[i])) {
        inputs[i] = inputs[i].to(at::kMeta);
      }
    }
    return inputs;
  }

  std::optional<std::string> obstacle(const Node& node) const {
    if (const std::vector<const Node*> unknown = unknown_operators(node); !unknown.empty())
      return fmt::format("operator {} is unknown ({})", unknown[0]->op, describe(*unknown[0]));
    for (const std::string& name : node.inputs)
      if (const auto found = table_.unknown.find(name); found != table_.unknown.end())
        return found->second;
    return std::nullopt;
  }

  void visit(const Node& node) {
    if (const std::optional<std::string> reason = obstacle(node)) {
      for (const std::string& name : node.outputs) table_.unknown[name] = *reason;
      return;
    }
    const Operator& op = get_operator(node);
    const Tensors inputs = gather(node, op);
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].defined() && inputs[i].is_meta() && op.shape_depends_on_value(i)) {
        for (const std::string& name : node.outputs)
          table_.unknown[name] =
              fmt::format("the shape is known only when data runs ({})", describe(node));
        return;
      }
    const Tensors outputs = forward(node, inputs);
    for (size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i)
      if (!node.outputs[i].empty()) set(node.outputs[i], outputs[i]);
  }

  static constexpr int kDeepest = 16;  // steps to follow: files are not trusted

  const Graph& graph_;
  const std::unordered_map<std::string, size_t> writers_ = writers(graph_);
  std::unordered_map<std::string, at::Tensor> values_;
  ShapeTable table_;
};

// Two batch sizes, prime and unlike usual extents: what differs between them is the batch's doing.
constexpr int64_t kBatchA = 11, kBatchB = 13;

/// The constant that can stand for the target shape of a node; empty where there is none.
std::vector<int64_t> constant_target(const Node& node, const ShapeTable& a, const ShapeTable& b) {
  const Operator* op = find_operator(node);
  const auto in_a = a.contents.find(node.inputs[1]), in_b = b.contents.find(node.inputs[1]);
  if (op == nullptr || in_a == a.contents.end() || in_b == b.contents.end() ||
      !a.knows(node.inputs[0]) || !b.knows(node.inputs[0]))
    return {};
  return op->batch_free_target(node, in_a->second, in_b->second, a.at(node.inputs[0]),
                               b.at(node.inputs[0]));
}

void set_parameter(Graph& graph, Node& node, size_t input, const at::Tensor& value) {
  const std::string name = graph.fresh_name(node.name + ".constant");
  graph.parameters[name] = value;
  node.inputs[input] = name;
}

bool holds_graphs(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return !node.graphs().empty(); });
}

/// Shapes at several batch sizes. An If may ask whether the batch is 1, as no other node does: then
/// that is one of them.
std::vector<ShapeTable> infer_at_batches(const Graph& graph, const std::vector<Shape>& sample) {
  std::vector<int64_t> batches = {kBatchA, kBatchB};
  if (holds_graphs(graph)) batches.push_back(1);
  std::vector<ShapeTable> tables;
  for (const int64_t batch : batches)
    tables.push_back(infer_shapes(graph, input_shapes(graph, batch, sample)));
  return tables;
}

}  // namespace

ShapeTable infer_shapes(const Graph& graph, const std::vector<Shape>& inputs) {
  return Inference(graph, inputs).run();
}

void fold_shape_arithmetic(Graph& graph, const std::vector<Shape>& sample) {
  std::vector<ShapeTable> tables = infer_at_batches(graph, sample);
  // A branch may decide the next If.
  while (take_known_branches(graph, tables)) tables = infer_at_batches(graph, sample);
  for (Node& node : graph.nodes) {
    for (const std::string& name : node.outputs) {
      const at::Tensor content = common_content(tables, name);
      if (content.defined()) graph.parameters[name] = content.contiguous().clone();
    }
    if (node.inputs.size() < 2 || graph.is_parameter(node.inputs[1])) continue;
    const std::vector<int64_t> target = constant_target(node, tables[0], tables[1]);
    if (!target.empty()) set_parameter(graph, node, 1, at::tensor(target, at::kLong));
  }
  std::erase_if(graph.nodes, [&](const Node& node) {
    return !node.outputs.empty() &&
           std::all_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) {
             return name.empty() || graph.is_parameter(name);
           });
  });
  drop_unread(graph);
  replace_shuffles(graph, infer_shapes(graph, input_shapes(graph, kBatchA, sample)));
}

}  // namespace crrm
