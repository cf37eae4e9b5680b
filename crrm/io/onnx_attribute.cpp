#include "crrm/io/onnx_attribute.h"

#include <optional>

#include "crrm/io/onnx.h"
#include "crrm/io/onnx_fields.h"

namespace crrm::onnx {

namespace {

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

}  // namespace

std::pair<std::string, Attribute> read_attribute(Message message, TensorReader& tensors,
                                                 const BranchReader& branch) {
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
            tensors.read(message.message(fmt::format("tensor of {}", message.name()))).tensor;
        break;
      case kAttributeGraph:
        found(kGraphType);
        if (branch)
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

}  // namespace crrm::onnx
