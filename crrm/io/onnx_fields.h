// Field numbers of onnx.proto, for the reader and the writer.
// Source: onnx/onnx, onnx/onnx.proto (IR version 10).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace crrm::onnx {

inline constexpr int64_t kIrVersion = 10;
inline constexpr int64_t kOldestOpset = 6;

enum ModelField : uint32_t {
  kModelIrVersion = 1,
  kModelProducerName = 2,
  kModelProducerVersion = 3,
  kModelGraph = 7,
  kModelOpsetImport = 8,
  kModelTrainingInfo = 20,
  kModelFunctions = 25,
};
enum Opset : uint32_t { kOpsetDomain = 1, kOpsetVersion = 2 };
enum GraphField : uint32_t {
  kGraphNode = 1,
  kGraphName = 2,
  kGraphInitializer = 5,
  kGraphInput = 11,
  kGraphOutput = 12,
  kGraphValueInfo = 13,
  kGraphSparseInitializer = 15,
};
enum NodeField : uint32_t {
  kNodeInput = 1,
  kNodeOutput = 2,
  kNodeName = 3,
  kNodeOp = 4,
  kNodeAttribute = 5,
  kNodeDomain = 7,
};
enum AttributeField : uint32_t {
  kAttributeName = 1,
  kAttributeFloat = 2,
  kAttributeInt = 3,
  kAttributeString = 4,
  kAttributeTensor = 5,
  kAttributeGraph = 6,
  kAttributeFloats = 7,
  kAttributeInts = 8,
  kAttributeStrings = 9,
  kAttributeTensors = 10,
  kAttributeGraphs = 11,
  kAttributeTypeProto = 14,
  kAttributeTypeProtos = 15,
  kAttributeType = 20,
  kAttributeReference = 21,
  kAttributeSparseTensor = 22,
  kAttributeSparseTensors = 23,
};
/// The values of AttributeProto.type.
enum AttributeType : int64_t {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraphType = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kGraphs = 10,
};
enum TensorField : uint32_t {
  kTensorDims = 1,
  kTensorType = 2,
  kTensorSegment = 3,
  kTensorFloatData = 4,
  kTensorInt32Data = 5,
  kTensorStringData = 6,
  kTensorInt64Data = 7,
  kTensorName = 8,
  kTensorRawData = 9,
  kTensorDoubleData = 10,
  kTensorUint64Data = 11,
  kTensorExternalData = 13,
  kTensorLocation = 14,
};
enum Entry : uint32_t { kEntryKey = 1, kEntryValue = 2 };
enum ValueInfo : uint32_t { kValueName = 1, kValueType = 2 };
enum Type : uint32_t { kTypeTensor = 1 };
enum TensorType : uint32_t { kTensorTypeElement = 1, kTensorTypeShape = 2 };
enum ShapeField : uint32_t { kShapeDim = 1 };
enum Dimension : uint32_t { kDimensionValue = 1, kDimensionSymbol = 2 };

/// An element type that crrm reads and writes.
struct Element {
  int64_t code;  ///< TensorProto.DataType
  at::ScalarType type;
};
inline constexpr std::array<Element, 10> kElements = {{{1, at::kFloat},
                                                       {2, at::kByte},
                                                       {3, at::kChar},
                                                       {5, at::kShort},
                                                       {6, at::kInt},
                                                       {7, at::kLong},
                                                       {9, at::kBool},
                                                       {10, at::kHalf},
                                                       {11, at::kDouble},
                                                       {16, at::kBFloat16}}};

}  // namespace crrm::onnx
