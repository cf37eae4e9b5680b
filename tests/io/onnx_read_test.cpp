#include <gmock/gmock.h>

#include <random>

#include "tests/io/model_builder.h"

namespace crrm::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A model whose only initializer is `bytes`.
Model holding(const std::string& bytes) {
  Model model = add_model();
  model.initializers = {bytes};
  return model;
}

/// A model whose Constant node "w" has the attribute `bytes`.
Model constant(const std::string& bytes) {
  Model model = add_model();
  model.initializers = {};
  model.nodes.insert(model.nodes.begin(), node("Constant", {}, {"w"}, {bytes}));
  return model;
}

void put(const std::string& key, const std::string& text, Writer& writer) {
  writer.add_message(kTensorExternalData, message([&](Writer& w) {
                       w.add_string(kEntryKey, key);
                       w.add_string(kEntryValue, text);
                     }));
}

/// w = [2] float32 in the file `location`.
std::string external(const std::string& location, const std::string& offset,
                     const std::string& length) {
  return tensor("w", {2}, 1, [&](Writer& w) {
    if (!location.empty()) put("location", location, w);
    if (!offset.empty()) put("offset", offset, w);
    if (!length.empty()) put("length", length, w);
    w.add_int64(kTensorLocation, 1);
  });
}

using ReadOnnx = OnnxFile;

TEST_F(ReadOnnx, TakesEveryPartOfTheGraph) {
  Model model = add_model();
  model.nodes = {
      node("Op", {"x", "", "w"}, {"h", "", "z"},
           {ints("a", {3, -1}), integer("b", -7), real("c", 0.5F), text("d", "\xFF"),
            attribute("e", kTensor,
                      [](Writer& w) { w.add_message(kAttributeTensor, floats("", {1}, {4})); }),
            attribute("f", kFloats,
                      [](Writer& w) {
                        w.add_float(kAttributeFloats, 1);
                        w.add_float(kAttributeFloats, 2);
                      }),
            attribute("g", kStrings, [](Writer& w) { w.add_bytes(kAttributeStrings, "s"); })},
           "op", "my.domain"),
      node("Relu", {"h"}, {"y"})};
  const Graph graph = read(model);
  ASSERT_EQ(graph.nodes.size(), 2u);
  const Node& op = graph.nodes[0];
  EXPECT_EQ(describe(op), "node \"op\" (my.domain.Op)");
  EXPECT_THAT(op.inputs, ElementsAre("x", "", "w"));
  EXPECT_THAT(op.outputs, ElementsAre("h", "", "z"));
  EXPECT_THAT(op.integers("a"), ElementsAre(3, -1));
  EXPECT_EQ(op.integer("b"), -7);
  EXPECT_EQ(op.real("c"), 0.5);
  EXPECT_EQ(op.text("d"), "\xFF");
  EXPECT_EQ(op.tensor("e").item<float>(), 4);
  EXPECT_THAT(std::get<std::vector<double>>(op.attributes.at("f")), ElementsAre(1, 2));
  EXPECT_THAT(std::get<std::vector<std::string>>(op.attributes.at("g")), ElementsAre("s"));
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_THAT(graph.inputs[0].shape, ElementsAre(-1, 2));
  EXPECT_THAT(graph.inputs[0].symbols, ElementsAre("n", ""));
  EXPECT_TRUE(graph.parameters.at("w").equal(at::tensor({1.0F, 2.0F})));
}

TEST_F(ReadOnnx, NamesNodesUniquely) {
  Model model = add_model();
  model.nodes = {node("Add", {"x", "w"}, {"a"}), node("Relu", {"a"}, {"b"}, {}, "r"),
                 node("Relu", {"b"}, {"c"}, {}, "r"), node("Relu", {"c"}, {"y"}, {}, "Add_0")};
  const Graph graph = read(model);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  EXPECT_THAT(names, ElementsAre("Add_0_1", "r", "r_1", "Add_0"));
}

TEST_F(ReadOnnx, InitializersThatAreInputsAreParameters) {
  Model model = add_model();
  model.inputs.push_back(value("w", {2}));
  const Graph graph = read(model);
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.inputs[0].name, "x");
}

TEST_F(ReadOnnx, ReadsEveryKindOfConstant) {
  const Fill tensor_value = [](Writer& w) {
    w.add_message(kAttributeTensor, floats("", {2}, {3, 4}));
  };
  EXPECT_TRUE(read(constant(attribute("value", kTensor, tensor_value)))
                  .parameters.at("w")
                  .equal(at::tensor({3.0F, 4.0F})));
  const at::Tensor real_value = read(constant(real("value_float", 2.5F))).parameters.at("w");
  EXPECT_TRUE(real_value.equal(at::scalar_tensor(2.5, at::kFloat)));
  EXPECT_TRUE(read(constant(integer("value_int", -3)))
                  .parameters.at("w")
                  .equal(at::scalar_tensor(-3, at::kLong)));
  EXPECT_TRUE(read(constant(ints("value_ints", {5, 6})))
                  .parameters.at("w")
                  .equal(at::tensor({5, 6}, at::kLong)));
  EXPECT_THAT(error(constant(text("value_string", "s"))), HasSubstr("\"value_string\""));
  EXPECT_THAT(error(constant(integer("value", 1))), HasSubstr("attribute `value` of type tensor"));
}

struct Typed {
  const char* name;
  int64_t code;
  at::Tensor expected;
  Fill data;
};

TEST_F(ReadOnnx, ReadsEveryTypeFromListsAndRawData) {
  const auto int32s = [](std::vector<int32_t> v) {
    return Fill([v](Writer& w) { w.add_packed_int32(kTensorInt32Data, v.begin(), v.end()); });
  };
  const std::vector<float> f = {1, -2};
  const std::vector<double> d = {1, -2};
  const std::vector<int64_t> l = {1, -2};
  const std::vector<Typed> cases = {
      {"float", 1, at::tensor(f),
       [&](Writer& w) { w.add_packed_float(kTensorFloatData, f.begin(), f.end()); }},
      {"double", 11, at::tensor(d),
       [&](Writer& w) { w.add_packed_double(kTensorDoubleData, d.begin(), d.end()); }},
      {"int64", 7, at::tensor(l),
       [&](Writer& w) { w.add_packed_int64(kTensorInt64Data, l.begin(), l.end()); }},
      {"unpacked", 7, at::tensor(l),
       [&](Writer& w) {
         w.add_int64(kTensorInt64Data, 1);
         w.add_int64(kTensorInt64Data, -2);
       }},
      {"int32", 6, at::tensor(l).to(at::kInt), int32s({1, -2})},
      {"int16", 5, at::tensor(l).to(at::kShort), int32s({1, -2})},
      {"int8", 3, at::tensor(l).to(at::kChar), int32s({1, -2})},
      {"uint8", 2, at::tensor({1, 255}).to(at::kByte), int32s({1, 255})},
      {"bool", 9, at::tensor({1, 0}).to(at::kBool), int32s({1, 0})},
      // IEEE half: 1 = 0x3C00, -2 = 0xC000; bfloat16: the upper half of a float.
      {"half", 10, at::tensor(f).to(at::kHalf), int32s({0x3C00, 0xC000})},
      {"bfloat16", 16, at::tensor(f).to(at::kBFloat16), int32s({0x3F80, 0xC000})}};
  for (const Typed& c : cases) {
    SCOPED_TRACE(c.name);
    const at::Tensor listed = read(holding(tensor("w", {2}, c.code, c.data))).parameters.at("w");
    EXPECT_EQ(listed.scalar_type(), c.expected.scalar_type());
    EXPECT_TRUE(listed.equal(c.expected));
    const at::Tensor raw_read =
        read(holding(tensor("w", {2}, c.code, [&](Writer& w) {
          w.add_bytes(kTensorRawData, static_cast<const char*>(c.expected.const_data_ptr()),
                      c.expected.nbytes());
        }))).parameters.at("w");
    EXPECT_TRUE(raw_read.equal(c.expected));
    EXPECT_EQ(raw_read.scalar_type(), c.expected.scalar_type());
  }
}

TEST_F(ReadOnnx, ReadsExternalData) {
  write_file(folder_ / "weights.bin", "head" + raw({5, 6}));
  const Graph graph = read(holding(external("weights.bin", "4", "8")));
  EXPECT_TRUE(graph.parameters.at("w").equal(at::tensor({5.0F, 6.0F})));
}

TEST_F(ReadOnnx, RefusesExternalDataThatIsNotThere) {
  write_file(folder_ / "weights.bin", raw({5, 6}));
  const auto fails = [&](const std::string& location, const std::string& offset,
                         const std::string& length) {
    return error(holding(external(location, offset, length)));
  };
  EXPECT_THAT(fails("weights.bin", "1", "8"), HasSubstr("a file of 8 bytes"));
  EXPECT_THAT(fails("weights.bin", "9223372036854775807", "8"), HasSubstr("a file of 8 bytes"));
  EXPECT_THAT(fails("weights.bin", "-1", "8"), HasSubstr("`offset` of 0 or more"));
  EXPECT_THAT(fails("weights.bin", "99999999999999999999", ""), HasSubstr("`offset`"));
  EXPECT_THAT(fails("weights.bin", "0x", ""), HasSubstr("`offset`"));
  EXPECT_THAT(fails("weights.bin", "0", "4"), HasSubstr("length 4"));
  EXPECT_THAT(fails("", "0", "8"), HasSubstr("`location`"));
  EXPECT_THAT(fails("../weights.bin", "0", "8"), HasSubstr("location \"../weights.bin\""));
  EXPECT_THAT(fails("a/../../weights.bin", "0", "8"), HasSubstr("in the model's folder"));
  EXPECT_THAT(fails("/etc/passwd", "0", "8"), HasSubstr("location \"/etc/passwd\""));
}

TEST_F(ReadOnnx, NamesTheExternalFileThatIsMissing) {
  write_file(path_, holding(external("none.bin", "0", "8")).bytes());
  try {
    read_onnx(path_);
    FAIL() << "nothing was thrown";
  } catch (const InputError& fault) {
    EXPECT_EQ(fault.fault().file, (folder_ / "none.bin").string());
  }
}

TEST_F(ReadOnnx, RefusesTensorsWhoseDimsAndDataDisagree) {
  const auto fails = [&](const std::vector<int64_t>& dims, const std::string& bytes) {
    return error(
        holding(tensor("w", dims, 1, [&](Writer& w) { w.add_bytes(kTensorRawData, bytes); })));
  };
  EXPECT_THAT(fails({3}, raw({1, 2})), HasSubstr("12 bytes for dims [3] of Float"));
  EXPECT_THAT(fails({1}, raw({1, 2})), HasSubstr("found     8 bytes"));
  EXPECT_THAT(fails({-1}, raw({1})), HasSubstr("dims [-1]"));
  EXPECT_THAT(fails({int64_t{1} << 32, int64_t{1} << 32}, ""), HasSubstr("dims [4294967296"));
  EXPECT_THAT(fails({0, int64_t{1} << 62, int64_t{1} << 62}, ""), HasSubstr("fit 63 bits"));
  EXPECT_THAT(fails({int64_t{1} << 40}, raw({1})), HasSubstr("4398046511104 bytes"));
  EXPECT_THAT(fails(std::vector<int64_t>(65, 1), raw({1})), HasSubstr("64 at most"));
  EXPECT_THAT(fails({2}, ""), HasSubstr("tensor \"w\""));
}

TEST_F(ReadOnnx, RefusesTensorsOfOtherMakings) {
  const auto fails = [&](int64_t code, const Fill& data) {
    return error(holding(tensor("w", {2}, code, data)));
  };
  const Fill none = [](Writer&) {};
  EXPECT_THAT(fails(8, none), HasSubstr("ONNX element type 8"));
  EXPECT_THAT(fails(0, none), HasSubstr("ONNX element type 0"));
  EXPECT_THAT(fails(1, [](Writer& w) { w.add_int64(kTensorInt64Data, 1); }),
              HasSubstr("values in field 7"));
  EXPECT_THAT(fails(7, [](Writer& w) { w.add_int64(kTensorInt64Data, 1); }),
              HasSubstr("2 values for dims [2]"));
  EXPECT_THAT(fails(3,
                    [](Writer& w) {
                      w.add_int32(kTensorInt32Data, 128);
                      w.add_int32(kTensorInt32Data, 0);
                    }),
              HasSubstr("values of -128 to 127"));
  EXPECT_THAT(fails(9, [](Writer& w) { w.add_bytes(kTensorRawData, "\x01\x02"); }),
              HasSubstr("bools of 0 or 1"));
  EXPECT_THAT(fails(1,
                    [](Writer& w) {
                      w.add_float(kTensorFloatData, 1);
                      w.add_bytes(kTensorRawData, raw({1, 2}));
                    }),
              HasSubstr("values in one place"));
  EXPECT_THAT(fails(1, [](Writer& w) { w.add_bytes(kTensorStringData, "s"); }),
              HasSubstr("strings"));
  EXPECT_THAT(fails(1, [](Writer& w) { w.add_bytes(kTensorSegment, ""); }), HasSubstr("segment"));
  EXPECT_THAT(fails(1, [](Writer& w) { w.add_int64(kTensorRawData, 1); }),
              HasSubstr("bytes with a length in field 9"));
  EXPECT_THAT(fails(1, [](Writer& w) { w.add_bytes(kTensorFloatData, "123"); }),
              HasSubstr("the file is damaged"));
}

TEST_F(ReadOnnx, SaysWhatAFileIsThatIsNoModel) {
  using namespace std::string_literals;
  EXPECT_THAT(error(""s), HasSubstr("not an ONNX model: an empty file"));
  EXPECT_THAT(error("\x89PNG\r\n\x1A\n"s), HasSubstr("not an ONNX model: a PNG image"));
  EXPECT_THAT(error("PK\x03\x04 archive"s), HasSubstr("not an ONNX model: a zip archive"));
  EXPECT_THAT(error("label,a,b\n1,2,3\n"s), HasSubstr("not an ONNX model: a text"));
  EXPECT_THAT(error("\x00\x01\x02\x03"s), HasSubstr("not an ONNX model: "));
  EXPECT_THAT(error("\x08\x08"s), HasSubstr("it holds no graph"));
  try {
    read_onnx(folder_);
    FAIL() << "nothing was thrown";
  } catch (const InputError& fault) {
    EXPECT_THAT(fault.what(), HasSubstr("a folder"));
  }
}

TEST_F(ReadOnnx, RefusesOtherOpsets) {
  for (const int64_t opset : {5, 22}) {
    Model model = add_model();
    model.opset = opset;
    EXPECT_THAT(error(model), HasSubstr(fmt::format("opset {}", opset)));
    EXPECT_THAT(error(model), HasSubstr("an opset of 6 to 21"));
  }
  Model two = add_model();
  two.model_extra = [](Writer& w) {
    w.add_message(kModelOpsetImport, message([](Writer& o) { o.add_int64(kOpsetVersion, 11); }));
  };
  EXPECT_THAT(error(two), HasSubstr("21 and 11"));
}

TEST_F(ReadOnnx, RefusesWhatTheGraphCannotHold) {
  const auto with = [](const Fill& extra) {
    Model model = add_model();
    model.graph_extra = extra;
    return model;
  };
  EXPECT_THAT(error(with([](Writer& w) { w.add_bytes(kGraphSparseInitializer, "x"); })),
              HasSubstr("sparse initializer"));
  EXPECT_THAT(
      error(with([](Writer& w) { w.add_message(kGraphInitializer, floats("w", {1}, {1})); })),
      HasSubstr("\"w\" again"));
  EXPECT_THAT(
      error(with([](Writer& w) { w.add_message(kGraphInitializer, floats("", {1}, {1})); })),
      HasSubstr("a tensor with a name"));
  const auto with_model = [](uint32_t field, const std::string& bytes) {
    Model model = add_model();
    model.model_extra = [=](Writer& w) { w.add_message(field, bytes); };
    return model;
  };
  EXPECT_THAT(error(with_model(kModelFunctions, "x")), HasSubstr("without functions"));
  EXPECT_THAT(error(with_model(kModelTrainingInfo, "x")), HasSubstr("training information"));
  EXPECT_THAT(error(with_model(kModelGraph, "x")), HasSubstr("a second one"));
}

TEST_F(ReadOnnx, RefusesNodesThatAreNotWhole) {
  const auto fails = [&](const std::string& bytes) {
    Model model = add_model();
    model.nodes = {bytes};
    return error(model);
  };
  EXPECT_THAT(fails(node("", {"x"}, {"y"})), HasSubstr("a node with an operator"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {})), HasSubstr("a node with an output"));
  EXPECT_THAT(fails(node("Relu", {"z"}, {"y"})), HasSubstr("\"z\", which nothing before it"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"w"})), HasSubstr("\"w\" written again"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {}, "a\nb")), HasSubstr("a name in UTF-8"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {}, "\xC0\x80")), HasSubstr("a name in UTF-8"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {integer("a", 1), integer("a", 1)})),
              HasSubstr("\"a\" again"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {integer("", 1)})),
              HasSubstr("an attribute with a name"));
  EXPECT_THAT(
      fails(node("Relu", {"x"}, {"y"},
                 {attribute("a", kFloat, [](Writer& w) { w.add_int64(kAttributeInt, 1); })})),
      HasSubstr("attribute \"a\" with a value of type 1"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {attribute("a", kTensor, [](Writer&) {})})),
              HasSubstr("attribute \"a\" with a tensor"));
  EXPECT_THAT(fails(node("Relu", {"x"}, {"y"}, {attribute("a", 99, [](Writer&) {})})),
              HasSubstr("of type 99"));
  EXPECT_THAT(
      fails(node("Relu", {"x"}, {"y"},
                 {attribute("a", kInt, [](Writer& w) { w.add_bytes(kAttributeInt, "x"); })})),
      HasSubstr("an integer in field 3"));
}

TEST_F(ReadOnnx, RefusesNodesOutOfOrder) {
  Model model = add_model();
  model.nodes = {node("Relu", {"h"}, {"y"}), node("Relu", {"x"}, {"h"})};
  EXPECT_THAT(error(model), HasSubstr("\"h\", which nothing before it writes"));
}

TEST_F(ReadOnnx, RefusesPortsWithoutTypeOrShape) {
  const auto fails = [&](const std::string& bytes) {
    Model model = add_model();
    model.inputs = {bytes};
    return error(model);
  };
  const auto typed = [](const std::string& tensor_type) {
    return message([&](Writer& w) {
      w.add_string(kValueName, "x");
      w.add_message(kValueType,
                    message([&](Writer& t) { t.add_message(kTypeTensor, tensor_type); }));
    });
  };
  EXPECT_THAT(fails(message([](Writer& w) { w.add_string(kValueName, "x"); })),
              HasSubstr("input \"x\""));
  EXPECT_THAT(fails(typed("\x08\x01")), HasSubstr("a shape"));
  EXPECT_THAT(fails(value("x", {2}, 8)), HasSubstr("ONNX element type 8"));
  EXPECT_THAT(fails(value("", {2})), HasSubstr("a name"));
  const std::string negative = message([](Writer& w) {
    w.add_int64(kTensorTypeElement, 1);
    w.add_message(kTensorTypeShape, message([](Writer& s) {
                    s.add_message(kShapeDim,
                                  message([](Writer& d) { d.add_int64(kDimensionValue, -5); }));
                  }));
  });
  EXPECT_THAT(fails(typed(negative)), HasSubstr("found     -5"));
}

TEST_F(ReadOnnx, KeepsTheNameOfASubgraph) {
  Model model = add_model();
  model.nodes = {node("Loop", {"x"}, {"y"}, {attribute("body", kGraphType, [](Writer& w) {
                        w.add_bytes(kAttributeGraph, "anything");
                      })})};
  EXPECT_EQ(read(model).nodes[0].text("body"), kSubgraph);
}

// Reading ends well or with InputError, whatever is cut off or turned; nothing else is thrown.
TEST_F(ReadOnnx, SurvivesEveryTruncation) {
  const std::string bytes = crrm::read_file(std::string(CRRM_TEST_DATA) + "/deconv_depthwise.onnx");
  ASSERT_GT(bytes.size(), 2000u);
  int refused = 0;
  for (size_t length = 0; length < bytes.size(); ++length) {
    SCOPED_TRACE(length);
    try {
      read(bytes.substr(0, length));
    } catch (const InputError&) {
      ++refused;
    }
  }
  // Every cut loses the opset import, which stands last, or a part of a field.
  EXPECT_EQ(refused, static_cast<int>(bytes.size()));
}

TEST_F(ReadOnnx, SurvivesFlippedBytes) {
  constexpr uint64_t kSeed = 7;
  Model old = add_model();
  old.opset = 9;
  old.nodes = {node("Softmax", {"x"}, {"a"}, {integer("axis", 1)}),
               node("Clip", {"a"}, {"b"}, {real("min", 0), real("max", 6)}),
               node("Unsqueeze", {"b"}, {"c"}, {ints("axes", {0})}),
               node("Upsample", {"c", "w"}, {"d"}, {text("mode", "nearest")}),
               node("ReduceMean", {"d"}, {"e"}, {ints("axes", {0})}),
               node("Pad", {"e"}, {"y"}, {ints("pads", {0, 0, 1, 1}), real("value", 1)})};
  const std::string real_file =
      crrm::read_file(std::string(CRRM_TEST_DATA) + "/deconv_depthwise.onnx");
  std::mt19937_64 random(kSeed);
  int refused = 0, read_well = 0;
  for (const std::string& bytes : {old.bytes(), real_file})
    for (int trial = 0; trial < 3000; ++trial) {
      std::string damaged = bytes;
      const int flips = 1 + static_cast<int>(random() % 3);
      for (int i = 0; i < flips; ++i)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      SCOPED_TRACE(fmt::format("seed {}, trial {}", kSeed, trial));
      try {
        read(damaged);
        ++read_well;
      } catch (const InputError&) {
        ++refused;
      }
    }
  EXPECT_GT(refused, 500);
  EXPECT_GT(read_well, 500);
}

}  // namespace
}  // namespace crrm::onnx
