#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/io/mapped_file.h"
#include "crrm/io/onnx.h"
#include "crrm/io/onnx_attribute.h"
#include "crrm/io/onnx_fields.h"
#include "crrm/io/onnx_model.h"
#include "crrm/io/onnx_subgraph.h"
#include "crrm/io/onnx_tensor.h"
#include "crrm/io/onnx_upgrade.h"

namespace crrm {

using namespace onnx;

namespace {

constexpr int kDeepest = 16;  // graphs inside of graphs: files are not trusted

/// Whether the graphs of a node are read; those of a Loop or Scan stay opaque.
bool has_branches(const Node& node) {
  return node.op == "If" && node.domain.empty();
}

/// Reads the GraphProto of one file, or one inside of it.
class GraphReader {
 public:
  GraphReader(const std::string& file, TensorReader& tensors, int depth = 0)
      : file_(file), tensors_(tensors), depth_(depth) {}

  Graph read(Message message, int64_t opset);

 private:
  Graph read_branch(Message message);
  std::shared_ptr<const Graph> branch(Message message);
  void check_branches(const Message& message, const Node& node);
  void read_field(Message& message);
  void add_parameter(const Message& message, const std::string& name, at::Tensor tensor);
  void add_initializer(const Message& message);
  void add_node(Message message);
  void take_constant(const Message& message, const Node& node);
  Port port(Message message, bool needs_shape);
  void read_tensor_type(Message message, Port& port, bool& shaped);
  void read_shape(Message message, Port& port);
  void add_facts(Message message);
  void name_nodes();

  const std::string& file_;
  TensorReader& tensors_;
  int depth_;
  Graph graph_;
  Facts facts_;
  std::vector<std::string_view> inputs_;  ///< read last: those of initializers are none
};

Graph GraphReader::read(Message message, int64_t opset) {
  while (message.next()) read_field(message);
  for (const std::string_view bytes : inputs_) {
    const Message input = message.inner(bytes, "input");
    const Port candidate = port(input, false);
    if (!graph_.is_parameter(candidate.name)) graph_.inputs.push_back(port(input, true));
  }
  name_nodes();
  check(graph_, file_);
  upgrade(graph_, opset, std::move(facts_));
  lift_parameters(graph_);
  check(graph_, file_);
  return std::move(graph_);
}

Graph GraphReader::read_branch(Message message) {
  while (message.next()) read_field(message);
  for (const std::string_view bytes : inputs_) {
    const Message input = message.inner(bytes, "input");
    if (!graph_.is_parameter(port(input, false).name))
      input.fail("a branch without inputs", "an input");
  }
  write_outputs(graph_);
  name_nodes();
  return std::move(graph_);
}

std::shared_ptr<const Graph> GraphReader::branch(Message message) {
  if (depth_ == kDeepest)
    message.fail(fmt::format("graphs nested {} deep at most", kDeepest), "one more");
  return std::make_shared<const Graph>(
      GraphReader(file_, tensors_, depth_ + 1).read_branch(std::move(message)));
}

void GraphReader::check_branches(const Message& message, const Node& node) {
  if (node.inputs.size() != 1)
    message.fail("an If with one input", fmt::format("{}", node.inputs.size()));
  for (const char* key : {"then_branch", "else_branch"})
    if (const size_t outputs = node.graph(key).outputs.size(); outputs != node.outputs.size())
      message.fail(fmt::format("a branch with {} outputs, as its If", node.outputs.size()),
                   fmt::format("{}", outputs));
}

void GraphReader::read_field(Message& message) {
  switch (message.field()) {
    case kGraphNode:
      return add_node(message.message(fmt::format("node {}", graph_.nodes.size())));
    case kGraphName:
      graph_.name = message.text();
      return;
    case kGraphInitializer:
      return add_initializer(message.message("initializer"));
    case kGraphInput:
      inputs_.push_back(message.bytes());
      return;
    case kGraphOutput:
      graph_.outputs.push_back(port(message.message("output"), depth_ == 0));
      return;
    case kGraphValueInfo:
      return add_facts(message.message("value info"));
    case kGraphSparseInitializer:
      message.fail("dense weights", "a sparse initializer");
    default:
      return;
  }
}

void GraphReader::add_parameter(const Message& message, const std::string& name,
                                at::Tensor tensor) {
  if (name.empty()) message.fail("a tensor with a name", "none");
  if (!graph_.parameters.emplace(name, std::move(tensor)).second)
    message.fail("each tensor once", fmt::format("\"{}\" again", name));
}

void GraphReader::add_initializer(const Message& message) {
  NamedTensor read = tensors_.read(message);
  add_parameter(message, read.name, std::move(read.tensor));
}

void GraphReader::add_node(Message message) {
  Node node;
  std::vector<std::string_view> attributes;  ///< read when the operator is known
  while (message.next()) {
    switch (message.field()) {
      case kNodeInput:
        node.inputs.push_back(message.text());
        break;
      case kNodeOutput:
        node.outputs.push_back(message.text());
        break;
      case kNodeName:
        node.name = message.text();
        break;
      case kNodeOp:
        node.op = message.text();
        break;
      case kNodeDomain:
        node.domain = normal_domain(message.text());
        break;
      case kNodeAttribute:
        attributes.push_back(message.bytes());
        break;
      default:
        break;
    }
  }
  if (node.op.empty()) message.fail("a node with an operator", "none");
  const std::string place = fmt::format("{}, attribute", message.name());
  BranchReader inside;
  if (has_branches(node)) inside = [this](Message inner) { return branch(std::move(inner)); };
  for (const std::string_view bytes : attributes) {
    auto [name, value] = read_attribute(message.inner(bytes, place), tensors_, inside);
    if (!node.attributes.emplace(name, std::move(value)).second)
      message.fail("each attribute once", fmt::format("\"{}\" again", name));
  }
  if (std::all_of(node.outputs.begin(), node.outputs.end(),
                  [](const std::string& value) { return value.empty(); }))
    message.fail("a node with an output", "none");
  if (node.op == "Constant" && node.domain.empty()) return take_constant(message, node);
  if (has_branches(node)) check_branches(message, node);
  capture(node);
  graph_.nodes.push_back(std::move(node));
}

/// A Constant node's tensor becomes a parameter.
void GraphReader::take_constant(const Message& message, const Node& node) {
  if (node.attributes.size() != 1 || node.outputs.size() != 1 || !node.inputs.empty())
    message.fail("a Constant with one attribute and one output",
                 fmt::format("{} attributes, {} inputs and {} outputs", node.attributes.size(),
                             node.inputs.size(), node.outputs.size()));
  const auto& [key, value] = *node.attributes.begin();
  at::Tensor tensor;
  if (key == "value")
    tensor = node.tensor(key);
  else if (key == "value_float")
    tensor = at::scalar_tensor(node.real(key), at::kFloat);
  else if (key == "value_int")
    tensor = at::scalar_tensor(node.integer(key), at::kLong);
  else if (key == "value_ints")
    tensor = at::tensor(node.integers(key), at::kLong);
  else if (key == "value_floats" && std::holds_alternative<std::vector<double>>(value))
    tensor = at::tensor(std::get<std::vector<double>>(value), at::kDouble).to(at::kFloat);
  else
    message.fail("a Constant with a value of numbers", fmt::format("attribute \"{}\"", key));
  add_parameter(message, node.outputs[0], std::move(tensor));
}

void GraphReader::read_shape(Message message, Port& port) {
  while (message.next()) {
    if (message.field() != kShapeDim) continue;
    int64_t extent = -1;
    std::string symbol;
    Message dimension = message.message(fmt::format("shape of \"{}\"", port.name));
    while (dimension.next()) {
      if (dimension.field() == kDimensionValue) extent = dimension.integer();
      if (dimension.field() == kDimensionSymbol) symbol = dimension.text();
    }
    if (extent < -1)
      dimension.fail("an extent of 0 or more, or -1 where it is dynamic",
                     fmt::format("{}", extent));
    port.shape.push_back(extent);
    port.symbols.push_back(extent < 0 ? symbol : "");
  }
}

void GraphReader::read_tensor_type(Message message, Port& port, bool& shaped) {
  int64_t code = 0;
  std::optional<Message> shape;
  while (message.next()) {
    if (message.field() == kTensorTypeElement) code = message.integer();
    if (message.field() == kTensorTypeShape) shape = message.message("shape");
  }
  port.type = element_type(message.named(fmt::format("\"{}\"", port.name)), code);
  shaped = shape.has_value();
  if (shape) read_shape(*shape, port);
}

/// A ValueInfoProto that is an input or output.
Port GraphReader::port(Message message, bool needs_type) {
  Port port;
  std::optional<Message> type;
  while (message.next()) {
    if (message.field() == kValueName) port.name = message.text();
    if (message.field() == kValueType) type = message.message("type");
  }
  const Message named = message.named(fmt::format("{} \"{}\"", message.name(), port.name));
  if (port.name.empty()) named.fail("a name", "none");
  if (!needs_type) return port;
  bool typed = false, shaped = false;
  while (type && type->next()) {
    if (type->field() != kTypeTensor) continue;
    typed = true;
    read_tensor_type(type->message("tensor type"), port, shaped);
  }
  if (!typed) named.fail("a tensor", "no tensor type");
  if (!shaped)
    throw InputError({.file = file_,
                      .place = named.place(),
                      .expected = "a shape",
                      .found = "none",
                      .hint = "onnx.shape_inference.infer_shapes adds it"});
  return port;
}

/// What a ValueInfoProto says of an intermediate value; what crrm does not know, it leaves out.
void GraphReader::add_facts(Message message) {
  std::string name;
  std::optional<Message> type;
  while (message.next()) {
    if (message.field() == kValueName) name = message.text();
    if (message.field() == kValueType) type = message.message("type");
  }
  ValueFacts& facts = facts_[name];
  while (type && type->next()) {
    if (type->field() != kTypeTensor) continue;
    Message tensor = type->message("tensor type");
    while (tensor.next()) {
      if (tensor.field() == kTensorTypeElement) {
        const int64_t code = tensor.integer();
        for (const Element& element : kElements)
          if (element.code == code) facts.type = element.type;
      } else if (tensor.field() == kTensorTypeShape) {
        int64_t rank = 0;
        Message shape = tensor.message("shape");
        while (shape.next()) rank += shape.field() == kShapeDim ? 1 : 0;
        facts.rank = rank;
      }
    }
  }
}

/// Every node gets a name of its own: its own one, or its operator and index.
void GraphReader::name_nodes() {
  std::unordered_set<std::string> taken;
  for (const Node& node : graph_.nodes) taken.insert(node.name);
  std::unordered_set<std::string> used;
  std::unordered_map<std::string, int64_t> next;  // number to try for a stem
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    Node& node = graph_.nodes[i];
    if (!node.name.empty() && used.insert(node.name).second) continue;
    const std::string stem = node.name.empty() ? fmt::format("{}_{}", node.op, i) : node.name;
    std::string name = stem;
    while (taken.contains(name)) name = fmt::format("{}_{}", stem, ++next[stem]);
    taken.insert(name);
    used.insert(name);
    node.name = name;
  }
}

}  // namespace

Graph read_onnx(const std::filesystem::path& path) {
  const MappedFile file(path);
  const MessageSource source{path.string(), file.bytes().data()};
  const ModelFields model = read_model(source, file.bytes());
  TensorReader tensors(path);
  try {
    return GraphReader(source.file, tensors).read(model.graph, model.opset);
  } catch (const InputError& error) {
    if (!error.fault().file.empty()) throw;
    Fault fault = error.fault();
    fault.file = source.file;
    throw InputError(std::move(fault));
  }
}

}  // namespace crrm
