#include "crrm/data/normalisation.h"

#include <gmock/gmock.h>

#include "crrm/data/loader.h"
#include "data_files.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_error(const std::string& text) {
  return message_of([&] { parse_normalisation(text, "--normalise"); });
}

std::string json_error(const std::string& text) {
  return message_of([&] { parse_description(text, "m.json"); });
}

Dataset bytes(at::IntArrayRef sizes) {
  Dataset data;
  data.inputs = at::arange(c10::multiply_integers(sizes), at::kByte).view(sizes);
  data.labels = at::arange(sizes[0], at::kLong);
  data.classes = sizes[0];
  data.source = "here";
  return data;
}

TEST(Normalisation, ReadsText) {
  const Normalisation n = parse_normalisation(" scale=1/255 mean=0.485,1/2  std=2", "--normalise");
  EXPECT_EQ(n.scale, 1.0 / 255);
  EXPECT_THAT(n.mean, ElementsAre(0.485, 0.5));
  EXPECT_THAT(n.std, ElementsAre(2));
  EXPECT_EQ(parse_normalisation("", "").scale, 1);
}

TEST(Normalisation, TextErrorsNameTheirPart) {
  EXPECT_THAT(text_error("sclae=1"), AllOf(HasSubstr("--normalise"), HasSubstr("mean scale?")));
  EXPECT_THAT(text_error("mean=0.5,x"), AllOf(HasSubstr("mean"), HasSubstr("\"x\"")));
  EXPECT_THAT(text_error("mean=0.5,"), HasSubstr("\"\""));
  EXPECT_THAT(text_error("std=0"), AllOf(HasSubstr("std"), HasSubstr("above 0")));
  EXPECT_THAT(text_error("std=nan"), HasSubstr("above 0"));
  EXPECT_THAT(text_error("scale=0"), HasSubstr("other than 0"));
  EXPECT_THAT(text_error("scale=1/0"), HasSubstr("a denominator other than 0"));
  EXPECT_THAT(text_error("scale=0/0"), HasSubstr("a denominator other than 0"));
  EXPECT_THAT(text_error("mean=inf"), HasSubstr("finite numbers"));
}

TEST(Normalisation, ReadsDescription) {
  const InputDescription d = parse_description(
      R"({"scale": 0.25, "mean": [1, 2.5], "std": 3, "shape": [1, 8, 8], "label_column": "y"})",
      "");
  ASSERT_TRUE(d.normalisation.has_value());
  EXPECT_EQ(d.normalisation->scale, 0.25);
  EXPECT_THAT(d.normalisation->mean, ElementsAre(1, 2.5));
  EXPECT_THAT(d.normalisation->std, ElementsAre(3));
  EXPECT_THAT(d.shape, ElementsAre(1, 8, 8));
  EXPECT_EQ(d.label_column, "y");
  EXPECT_FALSE(parse_description(R"({"shape": [4]})", "").normalisation.has_value());
  EXPECT_EQ(description_path("a/model.onnx"), "a/model.json");
}

TEST(Normalisation, ReadsWhatIsSaidOfImages) {
  const InputDescription d = parse_description(
      R"({"resize": 256, "crop": [224, 160], "channels": "bgr", "layout": "hwc"})", "");
  EXPECT_THAT(d.resize, ElementsAre(256));
  EXPECT_THAT(d.crop, ElementsAre(224, 160));
  EXPECT_EQ(d.channels, "bgr");
  EXPECT_EQ(d.layout, "hwc");
  EXPECT_FALSE(d.normalisation.has_value());
  const InputDescription none = parse_description("{}", "");
  EXPECT_TRUE(none.resize.empty() && none.crop.empty() && none.channels.empty() &&
              none.layout.empty());
}

TEST(Normalisation, DescriptionErrorsNameTheirKey) {
  EXPECT_THAT(json_error(R"({"maen": [1]})"),
              AllOf(HasSubstr("m.json: maen"), HasSubstr("mean mean?")));
  EXPECT_THAT(json_error("[1]"), AllOf(HasSubstr("a JSON object"), HasSubstr("array")));
  EXPECT_THAT(json_error("{"), HasSubstr("m.json: byte 2"));
  EXPECT_THAT(json_error(R"({"scale": "1"})"), AllOf(HasSubstr("scale"), HasSubstr("a number")));
  EXPECT_THAT(json_error(R"({"mean": []})"), HasSubstr("a list of numbers"));
  EXPECT_THAT(json_error(R"({"std": [1, 0]})"), HasSubstr("above 0"));
  EXPECT_THAT(json_error(R"({"shape": [1, -8]})"), HasSubstr("[1,-8]"));
  EXPECT_THAT(json_error(R"({"shape": [1e3]})"), HasSubstr("extents"));
  EXPECT_THAT(json_error(R"({"label_column": 3})"), HasSubstr("a text"));
  EXPECT_THAT(json_error(R"({"resize": 0})"), AllOf(HasSubstr("resize"), HasSubstr("such as 224")));
  EXPECT_THAT(json_error(R"({"crop": [1, 2, 3]})"), HasSubstr("height and width"));
  EXPECT_THAT(json_error(R"({"crop": [224]})"), HasSubstr("height and width"));
  EXPECT_THAT(json_error(R"({"resize": -3})"), HasSubstr("found     -3"));
  EXPECT_THAT(json_error(R"({"channels": "gray"})"),
              AllOf(HasSubstr("one of rgb, bgr, grey"), HasSubstr("mean grey?")));
  EXPECT_THAT(json_error(R"({"layout": 1})"), HasSubstr("a text"));
}

TEST(Normalisation, DefaultScalesBytesOnly) {
  EXPECT_EQ(default_normalisation(bytes({2, 3})).scale, 1.0 / 255);
  Dataset table = bytes({2, 3});
  table.inputs = table.inputs.to(at::kFloat);
  EXPECT_EQ(default_normalisation(table).scale, 1);
}

TEST(Normalisation, MustFitTheData) {
  const Dataset data = bytes({2, 3, 2, 2});
  EXPECT_THAT(message_of([&] {
                check_normalisation({.mean = {1, 2}, .std = {}}, data);
              }),
              AllOf(HasSubstr("here: normalisation, mean"), HasSubstr("1 value or 3"),
                    HasSubstr("2 values")));
  EXPECT_THAT(message_of([&] { check_normalisation({.mean = {0.5}, .std = {0.2}}, data); }),
              HasSubstr("scale=1/255"));
  EXPECT_NO_THROW(check_normalisation({.mean = {120}, .std = {60}}, data));
}

// (x * scale - mean) / std in double by ATen, over both kinds of data and both memory orders.
TEST(Normalisation, MatchesAten) {
  const Normalisation n{.scale = 1.0 / 255, .mean = {0.485, 0.456, 0.406}, .std = {0.2, 0.3, 0.4}};
  Dataset data = bytes({2, 3, 4, 5});
  const at::Tensor mean = at::tensor(n.mean, at::kDouble).view({1, 3, 1, 1});
  const at::Tensor std = at::tensor(n.std, at::kDouble).view({1, 3, 1, 1});
  const at::Tensor expected =  // [2, 3, 4, 5]
      ((data.inputs.to(at::kDouble) * n.scale - mean) / std).to(at::kFloat);
  for (const at::ScalarType type : {at::kByte, at::kFloat}) {
    data.inputs = data.inputs.to(type);
    for (const bool channels_last : {false, true}) {
      const Batch batch = take(data, n, 0, 2, channels_last);
      EXPECT_TRUE(at::equal(batch.inputs, expected)) << type << channels_last;
      EXPECT_EQ(batch.inputs.is_contiguous(at::MemoryFormat::ChannelsLast), channels_last);
    }
  }
}

TEST(Normalisation, TextReadsBackExactly) {
  for (const Normalisation& n :
       {Normalisation{}, Normalisation{.scale = 1.0 / 255, .mean = {}, .std = {0.1 + 0.2}},
        Normalisation{.scale = 3, .mean = {0.485, -1e-30, 1.0 / 3}, .std = {}}}) {
    const Normalisation back = parse_normalisation(to_text(n), "--normalise");
    EXPECT_EQ(back.scale, n.scale);
    EXPECT_EQ(back.mean, n.mean);
    EXPECT_EQ(back.std, n.std);
  }
}

TEST(Normalisation, TablesPerColumn) {
  Dataset data = bytes({2, 3});
  data.inputs = data.inputs.to(at::kFloat);
  const Batch batch = take(data, {.mean = {0, 1, 2}, .std = {1, 2, 4}}, 0, 2, true);
  EXPECT_THAT(to_vector<float>(batch.inputs), ElementsAre(0, 0, 0, 3, 1.5, 0.75));
}

}  // namespace
}  // namespace crrm
