// TensorProto -> at::Tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crrm/io/mapped_file.h"
#include "crrm/io/message.h"

namespace crrm::onnx {

/// The element type of a TensorProto.DataType. @throws InputError naming the types crrm has.
at::ScalarType element_type(const Message& message, int64_t code);

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// Reads the tensors of one model. Nothing is allocated before its bytes are seen to be there.
class TensorReader {
 public:
  /// @param model  path of the model: external data lie beside it
  explicit TensorReader(const std::filesystem::path& model) : folder_(model.parent_path()) {}

  /// @param message  a TensorProto
  /// @throws InputError where type, dims and data do not fit each other.
  NamedTensor read(Message message);

 private:
  struct Fields;
  void read_field(Message& message, Fields& fields);
  at::Tensor tensor_of(const Message& message, const Fields& fields);
  std::string_view external_bytes(const Message& message, const Fields& fields, int64_t size);
  const MappedFile& external_file(const Message& message, const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, std::unique_ptr<MappedFile>> files_;
};

}  // namespace crrm::onnx
