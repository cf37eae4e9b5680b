// ONNX models written field by field, so that a test can damage any of them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/io/onnx.h"
#include "crrm/io/onnx_fields.h"

namespace crrm::onnx {

using Writer = protozero::pbf_writer;
using Fill = std::function<void(Writer&)>;

/// The bytes of the message that `fill` writes.
inline std::string message(const Fill& fill) {
  std::string bytes;
  Writer writer(bytes);
  fill(writer);
  return bytes;
}

/// Float values as a file holds them.
inline std::string raw(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// TensorProto: dims and type, then what `data` adds.
inline std::string tensor(const std::string& name, const std::vector<int64_t>& dims, int64_t type,
                          const Fill& data) {
  return message([&](Writer& w) {
    for (const int64_t extent : dims) w.add_int64(kTensorDims, extent);
    w.add_int64(kTensorType, type);
    w.add_string(kTensorName, name);
    data(w);
  });
}
inline std::string floats(const std::string& name, const std::vector<int64_t>& dims,
                          const std::vector<float>& values) {
  return tensor(name, dims, 1, [&](Writer& w) { w.add_bytes(kTensorRawData, raw(values)); });
}

/// ValueInfoProto of float32; a negative extent is a symbol "n".
inline std::string value(const std::string& name, const std::vector<int64_t>& shape,
                         int64_t type = 1) {
  std::string dims;
  Writer dims_writer(dims);
  for (const int64_t extent : shape)
    dims_writer.add_message(kShapeDim, message([&](Writer& w) {
                              if (extent < 0)
                                w.add_string(kDimensionSymbol, "n");
                              else
                                w.add_int64(kDimensionValue, extent);
                            }));
  const std::string tensor_type = message([&](Writer& w) {
    w.add_int64(kTensorTypeElement, type);
    w.add_message(kTensorTypeShape, dims);
  });
  return message([&](Writer& w) {
    w.add_string(kValueName, name);
    w.add_message(kValueType, message([&](Writer& t) { t.add_message(kTypeTensor, tensor_type); }));
  });
}

inline std::string attribute(const std::string& name, int64_t type, const Fill& fill) {
  return message([&](Writer& w) {
    w.add_string(kAttributeName, name);
    fill(w);
    w.add_int64(kAttributeType, type);
  });
}
inline std::string ints(const std::string& name, const std::vector<int64_t>& values) {
  return attribute(name, kInts, [&](Writer& w) {
    for (const int64_t v : values) w.add_int64(kAttributeInts, v);
  });
}
inline std::string integer(const std::string& name, int64_t v) {
  return attribute(name, kInt, [&](Writer& w) { w.add_int64(kAttributeInt, v); });
}
inline std::string real(const std::string& name, float v) {
  return attribute(name, kFloat, [&](Writer& w) { w.add_float(kAttributeFloat, v); });
}
inline std::string text(const std::string& name, const std::string& v) {
  return attribute(name, kString, [&](Writer& w) { w.add_bytes(kAttributeString, v); });
}

inline std::string node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs,
                        const std::vector<std::string>& attributes = {},
                        const std::string& name = "", const std::string& domain = "") {
  return message([&](Writer& w) {
    for (const std::string& v : inputs) w.add_string(kNodeInput, v);
    for (const std::string& v : outputs) w.add_string(kNodeOutput, v);
    if (!name.empty()) w.add_string(kNodeName, name);
    w.add_string(kNodeOp, op);
    for (const std::string& a : attributes) w.add_message(kNodeAttribute, a);
    if (!domain.empty()) w.add_string(kNodeDomain, domain);
  });
}

/// An attribute that is a graph, as a branch of an If: its outputs are names.
inline std::string branch(const std::string& name, const std::vector<std::string>& nodes,
                          const std::vector<std::string>& outputs,
                          const std::vector<std::string>& initializers = {}) {
  const std::string graph = message([&](Writer& w) {
    for (const std::string& n : nodes) w.add_message(kGraphNode, n);
    w.add_string(kGraphName, name);
    for (const std::string& t : initializers) w.add_message(kGraphInitializer, t);
    for (const std::string& v : outputs)
      w.add_message(kGraphOutput, message([&](Writer& port) { port.add_string(kValueName, v); }));
  });
  return attribute(name, kGraphType, [&](Writer& w) { w.add_message(kAttributeGraph, graph); });
}

/// The parts of a model; the messages are added as they are.
struct Model {
  int64_t opset = 21;
  std::vector<std::string> nodes, initializers;
  std::vector<std::string> inputs = {value("x", {-1, 2})};
  std::vector<std::string> outputs = {value("y", {-1, 2})};
  Fill graph_extra = [](Writer&) {};
  Fill model_extra = [](Writer&) {};

  std::string bytes() const {
    const std::string graph = message([&](Writer& w) {
      for (const std::string& n : nodes) w.add_message(kGraphNode, n);
      w.add_string(kGraphName, "g");
      for (const std::string& t : initializers) w.add_message(kGraphInitializer, t);
      for (const std::string& v : inputs) w.add_message(kGraphInput, v);
      for (const std::string& v : outputs) w.add_message(kGraphOutput, v);
      graph_extra(w);
    });
    return message([&](Writer& w) {
      w.add_int64(kModelIrVersion, 8);
      w.add_message(kModelGraph, graph);
      w.add_message(kModelOpsetImport,
                    message([&](Writer& o) { o.add_int64(kOpsetVersion, opset); }));
      model_extra(w);
    });
  }
};

/// y = x + w, w = [1, 2].
inline Model add_model() {
  Model model;
  model.nodes = {node("Add", {"x", "w"}, {"y"})};
  model.initializers = {floats("w", {2}, {1, 2})};
  return model;
}

/// A folder of the test's own.
class OnnxFile : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("crrm_{}_{}_{}", info.test_suite_name(), info.name(), ::getpid());
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "model.onnx";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Graph read(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    return read_onnx(path_);
  }
  Graph read(const Model& model) const { return read(model.bytes()); }

  /// The error that reading must end with; it names the file.
  std::string error(const std::string& bytes) const {
    try {
      read(bytes);
    } catch (const InputError& fault) {
      EXPECT_EQ(fault.fault().file, path_.string()) << fault.what();
      return fault.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }
  std::string error(const Model& model) const { return error(model.bytes()); }

  std::filesystem::path folder_, path_;
};

}  // namespace crrm::onnx
