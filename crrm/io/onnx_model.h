// The fields of an ONNX file around its graph.
#pragma once

#include <string>
#include <string_view>

#include "crrm/io/message.h"

namespace crrm::onnx {

/// A ModelProto's own fields.
struct ModelFields {
  int64_t opset = 0;  ///< of ONNX's own domain
  Message graph;
};

/// "" where a domain is ONNX's own.
std::string normal_domain(const std::string& domain);

/// @throws InputError where it is another kind of file, or a model that crrm does not read.
ModelFields read_model(const MessageSource& source, std::string_view bytes);

}  // namespace crrm::onnx
