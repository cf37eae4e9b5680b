#include <gmock/gmock.h>

#include "tests/io/model_builder.h"

namespace crrm::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

void expect_equal(const Attribute& a, const Attribute& b) {
  if (std::holds_alternative<at::Tensor>(a))
    EXPECT_TRUE(std::get<at::Tensor>(a).equal(std::get<at::Tensor>(b)));
  else if (std::holds_alternative<int64_t>(a))
    EXPECT_EQ(std::get<int64_t>(a), std::get<int64_t>(b));
  else if (std::holds_alternative<double>(a))
    EXPECT_EQ(std::get<double>(a), std::get<double>(b));
  else if (std::holds_alternative<std::string>(a))
    EXPECT_EQ(std::get<std::string>(a), std::get<std::string>(b));
  else if (std::holds_alternative<std::vector<int64_t>>(a))
    EXPECT_EQ(std::get<std::vector<int64_t>>(a), std::get<std::vector<int64_t>>(b));
  else if (std::holds_alternative<std::vector<double>>(a))
    EXPECT_EQ(std::get<std::vector<double>>(a), std::get<std::vector<double>>(b));
  else
    EXPECT_EQ(std::get<std::vector<std::string>>(a), std::get<std::vector<std::string>>(b));
}

void expect_equal(const std::vector<Port>& a, const std::vector<Port>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].type, b[i].type);
    EXPECT_EQ(a[i].shape, b[i].shape);
    EXPECT_EQ(a[i].symbols, b[i].symbols);
  }
}

void expect_equal(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name, b.name);
  expect_equal(a.inputs, b.inputs);
  expect_equal(a.outputs, b.outputs);
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (const auto& [name, tensor] : a.parameters) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(b.parameters.contains(name));
    EXPECT_EQ(tensor.scalar_type(), b.parameters.at(name).scalar_type());
    EXPECT_TRUE(tensor.equal(b.parameters.at(name)));
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    const Node &p = a.nodes[i], &q = b.nodes[i];
    SCOPED_TRACE(describe(p));
    EXPECT_EQ(describe(p), describe(q));
    EXPECT_EQ(p.inputs, q.inputs);
    EXPECT_EQ(p.outputs, q.outputs);
    ASSERT_EQ(p.attributes.size(), q.attributes.size());
    for (const auto& [key, value] : p.attributes) {
      ASSERT_TRUE(q.has(key)) << key;
      ASSERT_EQ(value.index(), q.attributes.at(key).index()) << key;
      expect_equal(value, q.attributes.at(key));
    }
  }
}

/// Every attribute type and element type, a scalar and an empty tensor, dynamic axes of all sorts.
Graph varied_graph() {
  Graph graph;
  graph.name = "varied";
  graph.inputs = {{"x", at::kFloat, {-1, 2, -1}, {"n", "", ""}}, {"s", at::kLong, {}, {}}};
  graph.outputs = {{"y", at::kHalf, {-1, 0}, {"n", ""}}};
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool})
    graph.parameters[fmt::format("p_{}", c10::toString(type))] =
        at::arange(6).remainder(2).to(type).view({2, 3});
  graph.parameters["scalar"] = at::scalar_tensor(-1.5);
  graph.parameters["empty"] = at::empty({0, 3}, at::kLong);
  graph.nodes.push_back({.op = "Op",
                         .name = "first",
                         .domain = "some.domain",
                         .inputs = {"x", "", "scalar"},
                         .outputs = {"y", "", "z"},
                         .attributes = {{"i", int64_t{-3}},
                                        {"f", 0.25},
                                        {"s", std::string("text")},
                                        {"is", std::vector<int64_t>{1, -1}},
                                        {"none", std::vector<int64_t>{}},
                                        {"fs", std::vector<double>{0.5, -1}},
                                        {"ss", std::vector<std::string>{"a", ""}},
                                        {"t", at::tensor({1, 2}, at::kLong)}}});
  return graph;
}

class WriteOnnx : public OnnxFile {};

TEST_F(WriteOnnx, ReadsBackWhatItWrote) {
  const Graph graph = varied_graph();
  write_onnx(graph, path_);
  expect_equal(graph, read_onnx(path_));
  EXPECT_EQ(crrm::read_file(path_), onnx_bytes(graph));
}

TEST_F(WriteOnnx, ExportersFilesReadBack) {
  for (const char* name :
       {"deconv_depthwise.onnx", "residual_add.onnx", "bias_before_and_after_bn.onnx"}) {
    SCOPED_TRACE(name);
    const Graph graph = read_onnx(fs::path(CRRM_TEST_DATA) / name);
    EXPECT_GT(graph.nodes.size(), 4u);
    write_onnx(graph, path_);
    expect_equal(graph, read_onnx(path_));
  }
}

TEST_F(WriteOnnx, EqualGraphsGiveEqualBytes) {
  EXPECT_EQ(onnx_bytes(varied_graph()), onnx_bytes(clone(varied_graph())));
}

TEST_F(WriteOnnx, StoresViewsInOrder) {
  Graph graph = read(add_model());
  graph.parameters["w"] = at::arange(4, at::kFloat).view({2, 2}).t().select(0, 1);  // [1, 3]
  EXPECT_TRUE(read(onnx_bytes(graph)).parameters.at("w").equal(at::tensor({1.0F, 3.0F})));
}

// The bytes as onnx.proto has them: field 8 of the model, field 2 of the opset, by hand.
TEST_F(WriteOnnx, ImportsEveryDomain) {
  using namespace std::string_literals;
  EXPECT_THAT(onnx_bytes(varied_graph()),
              testing::EndsWith("\x42\x04\x0A\x00\x10\x15\x42\x0F\x0A\x0Bsome.domain\x10\x01"s));
}

TEST_F(WriteOnnx, CallsAnUnnamedFirstAxisBatch) {
  Graph graph = varied_graph();
  graph.inputs[0].symbols = {"", "", ""};
  EXPECT_THAT(read(onnx_bytes(graph)).inputs[0].symbols, ElementsAre("batch", "", ""));
}

TEST_F(WriteOnnx, PutsManyWeightsBesideTheModel) {
  Graph graph = varied_graph();
  graph.parameters["large"] = at::arange(1000, at::kFloat);
  graph.parameters["larger"] = at::arange(2001, at::kFloat);
  write_onnx(graph, path_, /*inline_bytes=*/4096);
  expect_equal(graph, read_onnx(path_));
  // 1000 floats, up to the next multiple of 64, then 2001 floats.
  EXPECT_EQ(fs::file_size(folder_ / "model.onnx.data"), 4032u + 8004u);
  EXPECT_LT(fs::file_size(path_), 4000u);
  write_onnx(graph, path_, /*inline_bytes=*/1 << 20);
  EXPECT_GT(fs::file_size(path_), 12004u);
}

TEST_F(WriteOnnx, RefusesSubgraphs) {
  Graph graph = varied_graph();
  graph.nodes[0].attributes["body"] = std::string(kSubgraph);
  try {
    write_onnx(graph, path_);
    FAIL() << "nothing was thrown";
  } catch (const InputError& fault) {
    EXPECT_EQ(fault.fault().file, path_.string());
    EXPECT_THAT(fault.what(), HasSubstr("node \"first\""));
    EXPECT_THAT(fault.what(), HasSubstr("`body`, a graph"));
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(WriteOnnx, LeavesNothingWhereItCannotWrite) {
  EXPECT_THROW(write_onnx(varied_graph(), folder_ / "none" / "model.onnx"), WriteError);
  fs::create_directory(path_);
  EXPECT_THROW(write_onnx(varied_graph(), path_), WriteError);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace crrm::onnx
