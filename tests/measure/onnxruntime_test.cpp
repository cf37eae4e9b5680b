#include "crrm/measure/onnxruntime.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>
#include <protozero/pbf_writer.hpp>

#include "crrm/base/error.h"
#include "crrm/base/file.h"

namespace crrm {
namespace {

using protozero::pbf_writer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

// TensorProto.DataType of onnx.proto.
enum OnnxType { kFloat = 1, kInt32 = 6, kInt64 = 7, kBool = 9, kHalf = 10, kDouble = 11 };

// Writes an ONNX model; the numbers are the fields' of onnx.proto.
class Model {
 public:
  Model& node(const std::string& op, const std::vector<std::string>& inputs,
              const std::vector<std::string>& outputs) {
    std::string node;
    pbf_writer writer(node);
    for (const std::string& input : inputs) writer.add_string(1, input);
    for (const std::string& output : outputs) writer.add_string(2, output);
    writer.add_string(4, op);
    return add(1, node);
  }

  Model& constant(const std::string& name, const at::Tensor& value, OnnxType type = kFloat) {
    std::string tensor;
    pbf_writer writer(tensor);
    for (const int64_t extent : value.sizes()) writer.add_int64(1, extent);
    writer.add_int32(2, type);
    writer.add_string(8, name);
    const at::Tensor data = value.contiguous();
    writer.add_bytes(9, static_cast<const char*>(data.data_ptr()), data.nbytes());
    return add(5, tensor);
  }

  Model& input(const std::string& name, OnnxType type, const std::vector<std::string>& shape) {
    return add(11, value_info(name, type, shape));
  }
  Model& output(const std::string& name, OnnxType type, const std::vector<std::string>& shape) {
    return add(12, value_info(name, type, shape));
  }

  std::string bytes() const {
    std::string opset, model;
    pbf_writer(opset).add_int64(2, 13);
    pbf_writer writer(model);
    writer.add_int64(1, 7);  // IR version
    std::string graph = graph_;
    pbf_writer(graph).add_string(2, "graph");
    writer.add_message(7, graph);
    writer.add_message(8, opset);
    return model;
  }

 private:
  Model& add(int field, const std::string& message) {
    pbf_writer(graph_).add_message(field, message);
    return *this;
  }

  static std::string value_info(const std::string& name, OnnxType type,
                                const std::vector<std::string>& shape) {
    std::string dims, tensor, holder, info;
    for (const std::string& extent : shape) {
      std::string dim;
      pbf_writer(dim).add_string(2, extent);
      pbf_writer(dims).add_message(1, dim);
    }
    pbf_writer writer(tensor);
    writer.add_int32(1, type);
    writer.add_message(2, dims);
    pbf_writer(holder).add_message(1, tensor);
    pbf_writer info_writer(info);
    info_writer.add_string(1, name);
    info_writer.add_message(2, holder);
    return info;
  }

  std::string graph_;
};

std::string identity_model(OnnxType type) {
  return Model()
      .node("Identity", {"x"}, {"y"})
      .input("x", type, {"N", "C"})
      .output("y", type, {"N", "C"})
      .bytes();
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

class OnnxRuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!OnnxRuntime::available())
      GTEST_SKIP() << "no ONNX Runtime: " << OnnxRuntime::reason_unavailable();
  }
};

TEST_F(OnnxRuntimeTest, TellsItsVersion) {
  EXPECT_THAT(OnnxRuntime::version(), MatchesRegex("1\\.[0-9]+\\.[0-9]+.*"));
  EXPECT_EQ(OnnxRuntime::reason_unavailable(), "");
}

// y = relu(conv(x, w) + b), against ATen.
TEST_F(OnnxRuntimeTest, ConvolvesAsATen) {
  at::manual_seed(1);
  const at::Tensor weight = at::randn({4, 3, 3, 3});
  const at::Tensor bias = at::randn({4});
  const std::string model = Model()
                                .constant("w", weight)
                                .constant("b", bias)
                                .node("Conv", {"x", "w", "b"}, {"c"})
                                .node("Relu", {"c"}, {"y"})
                                .input("x", kFloat, {"N", "C", "H", "W"})
                                .output("y", kFloat, {"N", "D", "I", "J"})
                                .bytes();
  for (const int threads : {1, 2}) {
    const OnnxRuntime runtime = OnnxRuntime::from_bytes("conv", model, threads);
    EXPECT_THAT(runtime.input_names(), ElementsAre("x"));
    EXPECT_THAT(runtime.output_names(), ElementsAre("y"));
    for (const int64_t batch : {1, 5}) {
      const at::Tensor x = at::randn({batch, 3, 8, 6});
      const Tensors y = runtime.run({x});
      ASSERT_EQ(y.size(), 1);
      const at::Tensor expected = at::relu(at::conv2d(x, weight, bias));
      ASSERT_EQ(y[0].sizes(), expected.sizes());
      // 27 products of order 1 each in float32: the order of summation moves some 1e-6.
      EXPECT_LT((y[0] - expected).abs().max().item<double>(), 1e-5);
    }
  }
}

TEST_F(OnnxRuntimeTest, SeveralInputsAndOutputsInTheModelsOrder) {
  const std::string model = Model()
                                .node("Gather", {"table", "index"}, {"rows"})
                                .node("Add", {"index", "index"}, {"twice"})
                                .input("table", kFloat, {"R", "C"})
                                .input("index", kInt64, {"K"})
                                .output("twice", kInt64, {"K"})
                                .output("rows", kFloat, {"K", "C"})
                                .bytes();
  const OnnxRuntime runtime = OnnxRuntime::from_bytes("gather", model, 1);
  EXPECT_THAT(runtime.input_names(), ElementsAre("table", "index"));
  EXPECT_THAT(runtime.output_names(), ElementsAre("twice", "rows"));
  const at::Tensor table = at::arange(15, at::kFloat).view({5, 3});
  const at::Tensor index = at::arange(4, -1, -2, at::kLong);  // 4, 2, 0
  const Tensors out = runtime.run({table, index});
  ASSERT_EQ(out.size(), 2);
  EXPECT_TRUE(at::equal(out[0], 2 * index));
  EXPECT_TRUE(at::equal(out[1], table.index_select(0, index)));
}

TEST_F(OnnxRuntimeTest, PassesEveryElementTypeUnchanged) {
  const std::map<OnnxType, at::ScalarType> types = {{kFloat, at::kFloat},
                                                    {kDouble, at::kDouble},
                                                    {kInt32, at::kInt},
                                                    {kInt64, at::kLong},
                                                    {kBool, at::kBool}};
  for (const auto& [onnx, aten] : types) {
    const at::Tensor x = at::arange(6).view({2, 3}).remainder(4).to(aten);
    const OnnxRuntime runtime = OnnxRuntime::from_bytes("identity", identity_model(onnx), 1);
    const at::Tensor y = runtime.run({x}).at(0);
    EXPECT_EQ(y.scalar_type(), aten);
    EXPECT_TRUE(at::equal(x, y)) << c10::toString(aten);
  }
}

TEST_F(OnnxRuntimeTest, ReadsTransposedAndEmptyInputs) {
  const OnnxRuntime runtime = OnnxRuntime::from_bytes("identity", identity_model(kFloat), 1);
  const at::Tensor transposed = at::arange(6, at::kFloat).view({2, 3}).t();
  EXPECT_TRUE(at::equal(runtime.run({transposed}).at(0), transposed));
  EXPECT_EQ(runtime.run({at::empty({0, 3})}).at(0).sizes(), at::IntArrayRef({0, 3}));
}

TEST_F(OnnxRuntimeTest, OutputsOutliveTheSession) {
  at::Tensor first, second;
  {
    OnnxRuntime runtime = OnnxRuntime::from_bytes("identity", identity_model(kFloat), 1);
    const OnnxRuntime moved = std::move(runtime);
    first = moved.run({at::full({64, 64}, 1.0)}).at(0);
    second = moved.run({at::full({64, 64}, 2.0)}).at(0);
  }
  EXPECT_TRUE(at::equal(first, at::full({64, 64}, 1.0)));
  EXPECT_TRUE(at::equal(second, at::full({64, 64}, 2.0)));
}

TEST_F(OnnxRuntimeTest, ReadsAFile) {
  const std::string path = testing::TempDir() + "crrm_onnxruntime_identity.onnx";
  write_file(path, identity_model(kFloat));
  const at::Tensor x = at::ones({2, 2});
  EXPECT_TRUE(at::equal(OnnxRuntime::from_file(path, 1).run({x}).at(0), x));
  std::filesystem::remove(path);
}

TEST_F(OnnxRuntimeTest, ModelsThatDoNotLoadAreTheUsersFault) {
  EXPECT_THAT(message_of([] { OnnxRuntime::from_file("no/such.onnx", 1); }),
              AllOf(HasSubstr("no/such.onnx"), HasSubstr("ONNX Runtime 1."), HasSubstr("exist")));
  EXPECT_THAT(message_of([] { OnnxRuntime::from_bytes("noise", "\xff\xff\xff", 1); }),
              AllOf(StartsWith("noise\n"), HasSubstr("rotobuf")));
  const std::string unknown = Model()
                                  .node("NoSuchOp", {"x"}, {"y"})
                                  .input("x", kFloat, {"N"})
                                  .output("y", kFloat, {"N"})
                                  .bytes();
  EXPECT_THAT(message_of([&] { OnnxRuntime::from_bytes("unknown", unknown, 1); }),
              AllOf(StartsWith("unknown\n"), HasSubstr("NoSuchOp")));
}

TEST_F(OnnxRuntimeTest, InputsThatDoNotFitAreNamed) {
  const OnnxRuntime runtime = OnnxRuntime::from_bytes("identity", identity_model(kFloat), 1);
  EXPECT_THAT(message_of([&] { runtime.run({}); }),
              AllOf(HasSubstr("1 inputs: x"), HasSubstr("0 inputs")));
  EXPECT_THAT(message_of([&] {
                runtime.run({at::ones({2, 2, 2})});
              }),
              AllOf(StartsWith("identity\n"), HasSubstr("rank"), HasSubstr("x")));
  EXPECT_THAT(message_of([&] {
                runtime.run({at::ones({2, 2}, at::kLong)});
              }),
              AllOf(HasSubstr("int64"), HasSubstr("float")));
  EXPECT_THAT(message_of([&] {
                runtime.run({at::ones({2, 2}, at::kHalf)});
              }),
              AllOf(HasSubstr("input \"x\""), HasSubstr("Half")));
}

TEST_F(OnnxRuntimeTest, OutputsOfOtherTypesAreNamed) {
  const std::string model = Model()
                                .constant("h", at::ones({2}, at::kHalf), kHalf)
                                .node("Identity", {"h"}, {"y"})
                                .output("y", kHalf, {"N"})
                                .bytes();
  const OnnxRuntime runtime = OnnxRuntime::from_bytes("half", model, 1);
  EXPECT_THAT(message_of([&] { runtime.run({}); }),
              AllOf(HasSubstr("half: output \"y\""), HasSubstr("ONNX element type 10")));
}

TEST_F(OnnxRuntimeTest, ThreadsMustBeOneOrMore) {
  EXPECT_THROW(OnnxRuntime::from_bytes("identity", identity_model(kFloat), 0), InternalError);
}

// The library is looked for once a process, so this needs one of its own.
TEST(OnnxRuntimeDeathTest, AWrongPathIsNotPassedOver) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv("CRRM_ONNXRUNTIME", "/no/such/lib.so", 1);
        std::cerr << message_of([] { OnnxRuntime::from_bytes("model", "", 1); });
        std::_Exit(OnnxRuntime::available() || !OnnxRuntime::version().empty() ? 1 : 7);
      },
      testing::ExitedWithCode(7), "/no/such/lib\\.so.*\n.*set CRRM_ONNXRUNTIME");
}

}  // namespace
}  // namespace crrm
