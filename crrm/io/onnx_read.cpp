#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/io/mapped_file.h"
#include "crrm/io/message.h"
#include "crrm/io/onnx.h"
#include "crrm/io/onnx_fields.h"
#include "crrm/io/onnx_subgraph.h"
#include "crrm/io/onnx_tensor.h"
#include "crrm/io/onnx_upgrade.h"

namespace crrm {

using namespace onnx;

namespace {

constexpr int64_t kOldestIr = 3;  // the first with opset_import

/// What the bytes are instead of a model, when their beginning tells.
std::string other_format(std::string_view bytes) {
  using namespace std::string_view_literals;
  static constexpr std::array<std::pair<std::string_view, const char*>, 8> kBeginnings = {{
      {"\x89PNG"sv, "a PNG image"},
      {"\xFF\xD8\xFF"sv, "a JPEG image"},
      {"PK\x03\x04"sv, "a zip archive (a PyTorch file or .npz?)"},
      {"\x1F\x8B"sv, "a gzip file"},
      {"\x89HDF"sv, "an HDF5 file"},
      {"GGUF"sv, "a GGUF model"},
      {"\x93NUMPY"sv, "a NumPy array"},
      {"\x80\x02"sv, "a Python pickle"},
  }};
  if (bytes.empty()) return "an empty file";
  for (const auto& [beginning, name] : kBeginnings)
    if (bytes.starts_with(beginning)) return name;
  constexpr size_t kSample = 512;
  const std::string_view sample = bytes.substr(0, kSample);
  const bool printable = std::all_of(sample.begin(), sample.end(), [](char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t';
  });
  return printable ? "a text" : "";
}

[[noreturn]] void reject(const std::string& file, const std::string& found) {
  throw InputError({.file = file,
                    .expected = "an ONNX model",
                    .found = "not an ONNX model: " + found,
                    .hint = "a model that was cut off on its way looks so, too"});
}

/// A ModelProto's own fields.
struct ModelFields {
  int64_t ir_version = 0;
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::optional<Message> graph;
};

std::string normal_domain(std::string domain) {
  return domain == "ai.onnx" ? "" : domain;
}

void read_opset(Message message, ModelFields& model) {
  std::string domain;
  int64_t version = 0;
  while (message.next()) {
    if (message.field() == kOpsetDomain) domain = normal_domain(message.text());
    if (message.field() == kOpsetVersion) version = message.integer();
  }
  model.opsets.emplace_back(domain, version);
}

void read_model_field(Message& message, ModelFields& model) {
  switch (message.field()) {
    case kModelIrVersion:
      model.ir_version = message.integer();
      return;
    case kModelOpsetImport:
      return read_opset(message.message("opset import"), model);
    case kModelGraph:
      if (model.graph) message.fail("one graph", "a second one");
      model.graph = message.message("graph");
      return;
    case kModelFunctions:
      message.fail("a model without functions of its own", "a function: inline it when exporting");
    case kModelTrainingInfo:
      message.fail("a model for inference", "training information");
    default:
      return;
  }
}

ModelFields read_model(const MessageSource& source, std::string_view bytes) {
  if (const std::string other = other_format(bytes); !other.empty()) reject(source.file, other);
  ModelFields model;
  Message message(source, bytes, "model");
  // A file of another kind breaks at its first fields, before a graph.
  const auto known = [&] { return model.graph.has_value() || model.ir_version >= kOldestIr; };
  try {
    while (message.next()) read_model_field(message, model);
  } catch (const InputError& error) {
    if (known()) throw;
    reject(source.file, fmt::format("{}: {}", error.fault().place, error.fault().found));
  }
  if (!model.graph) reject(source.file, "it holds no graph");
  if (model.ir_version < kOldestIr)
    message.fail(fmt::format("an IR version of {} or more", kOldestIr),
                 fmt::format("{}", model.ir_version));
  return model;
}

/// The opset of ONNX's own domain.
int64_t own_opset(const ModelFields& model, const std::string& file) {
  std::optional<int64_t> opset;
  for (const auto& [domain, version] : model.opsets) {
    if (!domain.empty()) continue;
    if (opset && *opset != version)
      throw InputError({.file = file,
                        .place = "opset import",
                        .expected = "one opset",
                        .found = fmt::format("{} and {}", *opset, version)});
    opset = version;
  }
  if (!opset || *opset < kOldestOpset || *opset > kOpset)
    throw InputError({.file = file,
                      .place = "opset import",
                      .expected = fmt::format("an opset of {} to {}", kOldestOpset, kOpset),
                      .found = opset ? fmt::format("opset {}", *opset) : "none",
                      .hint = fmt::format("export the model with opset {}", kOpset)});
  return *opset;
}

struct AttributeFields {
  std::string name;
  int64_t type = kUndefined;
  int64_t found = kUndefined;  ///< the type whose field is present
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::optional<at::Tensor> tensor;
  std::shared_ptr<const Graph> graph;  ///< null where graphs stay opaque
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
};

/// An attribute's value. An absent field of the stated type is 0 or empty, as in protobuf.
Attribute value_of(const Message& message, AttributeFields& fields) {
  if (fields.type == kUndefined) fields.type = fields.found;
  if (fields.found != kUndefined && fields.found != fields.type)
    message.fail(fmt::format("attribute \"{}\" with a value of type {}", fields.name, fields.type),
                 fmt::format("a value of type {}", fields.found));
  switch (fields.type) {
    case kFloat:
      return fields.real;
    case kInt:
      return fields.integer;
    case kString:
      return fields.text;
    case kFloats:
      return fields.reals;
    case kInts:
      return fields.integers;
    case kStrings:
      return fields.texts;
    case kGraphType:
      if (fields.graph) return fields.graph;
      [[fallthrough]];
    case kGraphs:
      return std::string(kSubgraph);
    case kTensor:
      if (fields.tensor) return *fields.tensor;
      message.fail(fmt::format("attribute \"{}\" with a tensor", fields.name), "none");
    default:
      message.fail("an attribute of numbers, texts or one tensor",
                   fmt::format("attribute \"{}\" of type {}", fields.name, fields.type));
  }
}

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
  void add_initializer(Message message);
  void add_node(Message message);
  std::pair<std::string, Attribute> attribute(Message message, bool branches);
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

void GraphReader::add_initializer(Message message) {
  NamedTensor read = tensors_.read(message);
  add_parameter(message, read.name, std::move(read.tensor));
}

std::pair<std::string, Attribute> GraphReader::attribute(Message message, bool branches) {
  AttributeFields fields;
  const auto found = [&](int64_t type) {
    if (fields.found != kUndefined && fields.found != type)
      message.fail("an attribute of one type", fmt::format("types {} and {}", fields.found, type));
    fields.found = type;
  };
  while (message.next()) {
    switch (message.field()) {
      case kAttributeName:
        fields.name = message.text();
        break;
      case kAttributeType:
        fields.type = message.integer();
        break;
      case kAttributeFloat:
        found(kFloat);
        fields.real = message.real();
        break;
      case kAttributeInt:
        found(kInt);
        fields.integer = message.integer();
        break;
      case kAttributeString:
        found(kString);
        fields.text = message.bytes();
        break;
      case kAttributeTensor:
        found(kTensor);
        fields.tensor =
            tensors_.read(message.message(fmt::format("tensor of {}", message.name()))).tensor;
        break;
      case kAttributeGraph:
        found(kGraphType);
        if (branches)
          fields.graph = branch(message.message(fmt::format("graph of {}", message.name())));
        break;
      case kAttributeGraphs:
        found(kGraphs);
        break;
      case kAttributeFloats:
        found(kFloats);
        message.floats(fields.reals);
        break;
      case kAttributeInts:
        found(kInts);
        message.integers(fields.integers);
        break;
      case kAttributeStrings:
        found(kStrings);
        fields.texts.emplace_back(message.bytes());
        break;
      case kAttributeReference:
        message.fail("an attribute with a value", "a reference");
      case kAttributeTensors:
      case kAttributeTypeProto:
      case kAttributeTypeProtos:
      case kAttributeSparseTensor:
      case kAttributeSparseTensors:
        message.fail("an attribute of numbers, texts or one tensor",
                     fmt::format("field {} of attribute \"{}\"", message.field(), fields.name));
      default:
        break;
    }
  }
  if (fields.name.empty()) message.fail("an attribute with a name", "none");
  return {fields.name, value_of(message, fields)};
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
  for (const std::string_view bytes : attributes) {
    auto [name, value] = attribute(message.inner(bytes, place), has_branches(node));
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
  const int64_t opset = own_opset(model, source.file);
  TensorReader tensors(path);
  try {
    return GraphReader(source.file, tensors).read(*model.graph, opset);
  } catch (const InputError& error) {
    if (!error.fault().file.empty()) throw;
    Fault fault = error.fault();
    fault.file = source.file;
    throw InputError(std::move(fault));
  }
}

}  // namespace crrm
