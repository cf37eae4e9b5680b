#include "crrm/ops/element_type.h"

#include "crrm/base/error.h"

namespace crrm {

at::ScalarType element_type(const Node& node, int64_t onnx_type) {
  switch (onnx_type) {  // onnx.TensorProto.DataType
    case 1:
      return at::kFloat;
    case 2:
      return at::kByte;
    case 3:
      return at::kChar;
    case 5:
      return at::kShort;
    case 6:
      return at::kInt;
    case 7:
      return at::kLong;
    case 9:
      return at::kBool;
    case 10:
      return at::kHalf;
    case 11:
      return at::kDouble;
    case 16:
      return at::kBFloat16;
    default:
      throw InputError({.place = describe(node),
                        .expected = "a numeric element type",
                        .found = fmt::format("ONNX type {}", onnx_type)});
  }
}

}  // namespace crrm
