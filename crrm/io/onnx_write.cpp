#include <protozero/pbf_writer.hpp>
#include <set>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/io/onnx.h"
#include "crrm/io/onnx_fields.h"
#include "crrm/io/onnx_subgraph.h"
#include "crrm/io/tensor_bytes.h"

namespace crrm {

using namespace onnx;

namespace {

using protozero::pbf_writer;

constexpr const char* kProducer = "crrm";
constexpr const char* kProducerVersion = "0.1.0";
constexpr int64_t kMostBytes = std::numeric_limits<int32_t>::max();  // protobuf's limit
constexpr size_t kLeastExternal = 1024;  // shapes and axes stay where shape inference reads them
constexpr size_t kAlignment = 64;        // of a tensor in PATH.data: a cache line

/// The weights that lie outside of the model file.
struct External {
  std::string location;  ///< file name beside the model; empty when all weights are inside
  std::string bytes;
};

int64_t code_of(at::ScalarType type) {
  for (const Element& element : kElements)
    if (element.type == type) return element.code;
  throw InternalError(fmt::format("ONNX has no name here for {}", c10::toString(type)));
}

int64_t weight_bytes(const Graph& graph) {
  int64_t total = 0;
  for (const auto& [name, tensor] : graph.parameters)
    total += static_cast<int64_t>(tensor.nbytes());
  return total;
}

void add_entry(pbf_writer& writer, const std::string& key, const std::string& value) {
  pbf_writer entry(writer, kTensorExternalData);
  entry.add_string(kEntryKey, key);
  entry.add_string(kEntryValue, value);
}

void add_external(pbf_writer& writer, std::string_view bytes, External& external) {
  external.bytes.resize((external.bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  add_entry(writer, "location", external.location);
  add_entry(writer, "offset", fmt::format("{}", external.bytes.size()));
  add_entry(writer, "length", fmt::format("{}", bytes.size()));
  writer.add_enum(kTensorLocation, 1);
  external.bytes += bytes;
}

/// A TensorProto.
void fill_tensor(pbf_writer& writer, const std::string& name, const at::Tensor& tensor,
                 External& external) {
  const at::Tensor values = plain(tensor);
  for (const int64_t extent : values.sizes()) writer.add_int64(kTensorDims, extent);
  writer.add_enum(kTensorType, static_cast<int32_t>(code_of(values.scalar_type())));
  if (!name.empty()) writer.add_string(kTensorName, name);
  const std::string_view bytes = bytes_of(values);
  if (!external.location.empty() && bytes.size() >= kLeastExternal)
    add_external(writer, bytes, external);
  else
    writer.add_bytes(kTensorRawData, bytes.data(), bytes.size());
}

void fill_branch(pbf_writer& writer, const Graph& graph);

struct AttributeWriter {
  pbf_writer& writer;

  void type(AttributeType type) const {
    writer.add_enum(kAttributeType, static_cast<int32_t>(type));
  }
  void operator()(int64_t value) const {
    writer.add_int64(kAttributeInt, value);
    type(kInt);
  }
  void operator()(double value) const {
    writer.add_float(kAttributeFloat, static_cast<float>(value));
    type(kFloat);
  }
  void operator()(const std::string& value) const {
    writer.add_bytes(kAttributeString, value);
    type(kString);
  }
  void operator()(const std::vector<int64_t>& values) const {
    for (const int64_t value : values) writer.add_int64(kAttributeInts, value);
    type(kInts);
  }
  void operator()(const std::vector<double>& values) const {
    for (const double value : values) writer.add_float(kAttributeFloats, static_cast<float>(value));
    type(kFloats);
  }
  void operator()(const std::vector<std::string>& values) const {
    for (const std::string& value : values) writer.add_bytes(kAttributeStrings, value);
    type(kStrings);
  }
  void operator()(const at::Tensor& value) const {
    External inside;
    {
      pbf_writer tensor(writer, kAttributeTensor);
      fill_tensor(tensor, "", value, inside);
    }
    type(kTensor);
  }
  void operator()(const std::shared_ptr<const Graph>& value) const {
    {
      pbf_writer graph(writer, kAttributeGraph);
      fill_branch(graph, *value);
    }
    type(kGraphType);
  }
};

bool is_subgraph(const Attribute& attribute) {
  const std::string* text = std::get_if<std::string>(&attribute);
  return text != nullptr && *text == kSubgraph;
}

void fill_node(pbf_writer& writer, const Node& node) {
  for (const std::string& value : node.inputs) writer.add_string(kNodeInput, value);
  for (const std::string& value : node.outputs) writer.add_string(kNodeOutput, value);
  writer.add_string(kNodeName, node.name);
  writer.add_string(kNodeOp, node.op);
  for (const auto& [name, value] : node.attributes) {
    if (is_subgraph(value))
      throw InputError({.place = describe(node),
                        .expected = "operators without graphs of their own",
                        .found = fmt::format("attribute `{}`, a graph", name)});
    pbf_writer attribute(writer, kNodeAttribute);
    attribute.add_string(kAttributeName, name);
    std::visit(AttributeWriter{attribute}, value);
  }
  if (!node.domain.empty()) writer.add_string(kNodeDomain, node.domain);
}

/// A Dimension message. It is empty where nothing is known, and protozero drops empty submessages:
/// hence bytes.
std::string dimension(const Port& port, size_t axis) {
  std::string bytes;
  pbf_writer writer(bytes);
  const std::string symbol = axis < port.symbols.size() ? port.symbols[axis] : "";
  if (port.shape[axis] >= 0)
    writer.add_int64(kDimensionValue, port.shape[axis]);
  else if (!symbol.empty())
    writer.add_string(kDimensionSymbol, symbol);
  else if (axis == 0)
    writer.add_string(kDimensionSymbol, "batch");
  return bytes;
}

/// A ValueInfoProto. The shape of a scalar is an empty message, too.
void fill_port(pbf_writer& writer, const Port& port) {
  std::string shape;
  pbf_writer shape_writer(shape);
  for (size_t axis = 0; axis < port.shape.size(); ++axis)
    shape_writer.add_message(kShapeDim, dimension(port, axis));
  writer.add_string(kValueName, port.name);
  pbf_writer type(writer, kValueType);
  pbf_writer tensor(type, kTypeTensor);
  tensor.add_enum(kTensorTypeElement, static_cast<int32_t>(code_of(port.type)));
  tensor.add_message(kTensorTypeShape, shape);
}

void fill_nodes(pbf_writer& writer, const Graph& graph) {
  for (const Node& node : graph.nodes) {
    pbf_writer message(writer, kGraphNode);
    fill_node(message, node);
  }
  writer.add_string(kGraphName, graph.name.empty() ? "graph" : graph.name);
}

/// A graph inside of a node: no constants or inputs, and outputs whose types follow.
void fill_branch(pbf_writer& writer, const Graph& graph) {
  if (!graph.parameters.empty()) throw InternalError("a branch with parameters of its own");
  fill_nodes(writer, graph);
  for (const Port& port : graph.outputs) {
    pbf_writer message(writer, kGraphOutput);
    message.add_string(kValueName, port.name);
  }
}

void fill_graph(pbf_writer& writer, const Graph& graph, External& external) {
  fill_nodes(writer, graph);
  for (const auto& [name, tensor] : graph.parameters) {
    pbf_writer message(writer, kGraphInitializer);
    fill_tensor(message, name, tensor, external);
  }
  for (const Port& port : graph.inputs) {
    pbf_writer message(writer, kGraphInput);
    fill_port(message, port);
  }
  for (const Port& port : graph.outputs) {
    pbf_writer message(writer, kGraphOutput);
    fill_port(message, port);
  }
}

void add_opset(pbf_writer& writer, const std::string& domain, int64_t version) {
  pbf_writer opset(writer, kModelOpsetImport);
  opset.add_string(kOpsetDomain, domain);
  opset.add_int64(kOpsetVersion, version);
}

void list_domains(const Graph& graph, std::set<std::string>& domains) {
  for (const Node& node : graph.nodes) {
    if (!node.domain.empty()) domains.insert(node.domain);
    for (const Graph* inner : node.graphs()) list_domains(*inner, domains);
  }
}

std::string model_bytes(const Graph& graph, External& external) {
  std::string bytes;
  bytes.reserve(external.location.empty() ? static_cast<size_t>(weight_bytes(graph)) : 0);
  pbf_writer writer(bytes);
  writer.add_int64(kModelIrVersion, kIrVersion);
  writer.add_string(kModelProducerName, kProducer);
  writer.add_string(kModelProducerVersion, kProducerVersion);
  {
    pbf_writer message(writer, kModelGraph);
    fill_graph(message, without_captures(graph), external);
  }
  add_opset(writer, "", kOpset);
  std::set<std::string> domains;
  list_domains(graph, domains);
  for (const std::string& domain : domains) add_opset(writer, domain, 1);
  return bytes;
}

/// As model_bytes; errors name the file that was to be written.
std::string named_model_bytes(const Graph& graph, External& external, const std::string& file) {
  try {
    return model_bytes(graph, external);
  } catch (const InputError& error) {
    Fault fault = error.fault();
    fault.file = file;
    throw InputError(std::move(fault));
  }
}

}  // namespace

void write_onnx(const Graph& graph, const std::filesystem::path& path, int64_t inline_bytes) {
  External external;
  std::filesystem::path data = path;
  data += ".data";
  if (weight_bytes(graph) > inline_bytes) {
    external.location = data.filename().string();
    external.bytes.reserve(static_cast<size_t>(weight_bytes(graph)));
  }
  const std::string model = named_model_bytes(graph, external, path.string());
  if (!external.location.empty()) write_file(data, external.bytes);
  write_file(path, model);
}

std::string onnx_bytes(const Graph& graph) {
  if (const int64_t size = weight_bytes(graph); size > kMostBytes)
    throw InputError({.place = "weights",
                      .expected = fmt::format("at most {} bytes in one protobuf", kMostBytes),
                      .found = fmt::format("{}", size)});
  External inside;
  return model_bytes(graph, inside);
}

}  // namespace crrm
