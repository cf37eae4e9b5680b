// Cases of the operators that move, scale or pick data, of the rarer element-wise ones, poolings
// and normalisations.
#include <limits>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"
#include "tests/conformance/operator_case.h"

namespace crrm {
namespace {

const Shape kImage{2, 4, 7, 6};

at::Tensor reals(std::vector<float> values) {
  return at::tensor(values);
}
std::string word(const char* text) {
  return text;
}
Case without_gradient(Case test) {
  test.differentiable = false;
  return test;
}
Case moving(Case test) {
  test.moves_data = true;
  return test;
}

void add_elementwise(std::vector<Case>& list) {
  const at::Tensor unit = at::tanh(weight(kImage));  // within (-1, 1)
  for (const char* op : {"Acos", "Asin", "Atanh"}) list.push_back({op, {}, {unit}});
  list.push_back({"Acosh", {}, {positive(kImage) + 1}});
  for (const char* op : {"Asinh", "Atan", "Cosh", "Sinh"}) list.push_back({op, {kImage}});
  list.push_back({"Tan", {}, {unit}});
  list.push_back({"Sign", {kImage}});
  list.push_back({"Round", {}, {reals({-2.5, -1.5, -0.5, -0.4, 0.5, 1.5, 2.5, 2.6})}});
  list.push_back({"Celu", {kImage}, {}, {{"alpha", 0.7}}});
  list.push_back({"Shrink", {kImage}, {}, {{"lambd", 0.3}, {"bias", 0.1}}});
  list.push_back({"Shrink", {kImage}});
  list.push_back({"ThresholdedRelu", {kImage}, {}, {{"alpha", 0.4}}});
  list.push_back({"ThresholdedRelu", {kImage}});
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const at::Tensor special =
      reals({0, 1, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()});
  list.push_back({"IsNaN", {}, {special}});
  list.push_back({"IsInf", {}, {special}});
  list.push_back({"IsInf", {}, {special}, {{"detect_negative", int64_t{0}}}});
  list.push_back({"IsInf", {}, {special}, {{"detect_positive", int64_t{0}}}});
  list.push_back({"Xor", {}, {weight(kImage) > 0, weight({6}) > 0}});
  for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"})
    list.push_back({op, {}, {ints({12, 10, -1}), ints({10, 3, 5})}});
  list.push_back({"BitwiseNot", {}, {ints({12, 0, -1})}});
  list.push_back({"CastLike", {kImage}, {at::zeros({3}, at::kDouble)}});
  list.push_back(without_gradient({"CastLike", {kImage}, {ints({3})}}));
  for (const char* op : {"Sum", "Mean"}) {
    list.push_back({op, {kImage, kImage}, {weight({4, 1, 1})}});
    list.push_back({op, {kImage}});
  }
  list.push_back(without_gradient({"Size", {kImage}}));
  list.push_back(without_gradient({"EyeLike", {{4, 6}}, {}, {{"k", int64_t{1}}}}));
  list.push_back(
      without_gradient({"EyeLike", {{4, 6}}, {}, {{"k", int64_t{-2}}, {"dtype", int64_t{7}}}}));
}

void add_normalisations_and_pools(std::vector<Case>& list) {
  for (const int64_t axis : {1, -1})
    list.push_back(without_gradient({"Hardmax", {kImage}, {}, {{"axis", axis}}}));
  list.push_back({"LRN", {kImage}, {}, {{"size", int64_t{3}}, {"alpha", 0.2}, {"bias", 2.0}}});
  list.push_back({"LRN", {{2, 6, 5, 1}}, {}, {{"size", int64_t{5}}, {"beta", 0.5}}});
  for (const int64_t p : {1, 2})
    list.push_back({"LpNormalization", {kImage}, {}, {{"axis", int64_t{1}}, {"p", p}}});
  list.push_back({"LpNormalization", {}, {at::zeros({2, 3})}});
  list.push_back({"MeanVarianceNormalization", {kImage}});
  list.push_back({"MeanVarianceNormalization", {kImage}, {}, {{"axes", Ints{2, 3}}}});
  for (const int64_t groups : {1, 2, 4})
    list.push_back({"GroupNormalization",
                    {kImage},
                    {positive({4}), weight({4})},
                    {{"num_groups", groups}, {"epsilon", 1e-3}}});
  for (const int64_t p : {1, 2, 3}) {
    list.push_back({"LpPool",
                    {kImage},
                    {},
                    {{"kernel_shape", Ints{3, 2}},
                     {"strides", Ints{2, 1}},
                     {"pads", Ints{1, 0, 1, 1}},
                     {"p", p}}});
    list.push_back({"GlobalLpPool", {kImage}, {}, {{"p", p}}});
  }
  list.push_back({"GlobalLpPool", {kImage}});
  // The places of the maxima.
  const auto pool = [&](Shape x, Attributes a) {
    list.push_back({"MaxPool", {x}, {}, std::move(a), 2});
  };
  pool(kImage, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  pool(kImage, {{"kernel_shape", Ints{3, 3}},
                {"strides", Ints{2, 1}},
                {"pads", Ints{1, 0, 1, 2}},
                {"dilations", Ints{1, 2}}});
  pool({2, 3, 9}, {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}});
  pool({2, 2, 4, 5, 6}, {{"kernel_shape", Ints{2, 2, 2}},
                         {"strides", Ints{2, 2, 2}},
                         {"pads", Ints{0, 1, 0, 0, 0, 0}}});
  // One of the four places of each window, of 1 x 2 x 2 x 2 ones.
  list.push_back({"MaxUnpool",
                  {{1, 2, 2, 2}},
                  {ints({0, 3, 12, 10, 21, 18, 25, 31}).reshape({1, 2, 2, 2})},
                  {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}});
}

void add_resizes(std::vector<Case>& list) {
  const char* coordinates[] = {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                               "half_pixel_symmetric"};
  const auto resize = [&](Shape x, at::Tensor scales, at::Tensor sizes, Attributes a) {
    const bool moves = std::get<std::string>(a.at("mode")) == "nearest";
    list.push_back({"Resize", {x}, {at::Tensor(), scales, sizes}, std::move(a), 1, moves});
  };
  const at::Tensor no;
  for (const char* c : coordinates) {
    for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
      for (const at::Tensor& scales : {reals({1, 1, 1.3, 2.5}), reals({1, 1, 0.65, 0.5})})
        resize(kImage, scales, no,
               {{"mode", word("nearest")},
                {"coordinate_transformation_mode", word(c)},
                {"nearest_mode", word(rounding)}});
    for (const char* mode : {"linear", "cubic"}) {
      const Attributes a{{"mode", word(mode)}, {"coordinate_transformation_mode", word(c)}};
      resize(kImage, reals({1, 1, 1.7, 2.5}), no, a);
      resize(kImage, reals({1, 1, 0.6, 0.5}), no, a);
      resize(kImage, no, ints({2, 4, 10, 9}), a);
      resize(kImage, no, ints({2, 4, 1, 3}), a);
    }
  }
  for (const int64_t factor : {2, 3, 49})
    resize({1, 2, 3, 2}, no, ints({1, 2, 3 * factor, 2}),
           {{"mode", word("nearest")},
            {"coordinate_transformation_mode", word("asymmetric")},
            {"nearest_mode", word("floor")}});
  resize({2, 3, 5}, reals({1, 1, 2}), no, {{"mode", word("linear")}});
  resize({2, 3, 5}, reals({1, 1, 2}), no, {{"mode", word("nearest")}});
  resize({2, 2, 3, 4, 3}, reals({1, 1, 2, 1.5, 1}), no, {{"mode", word("linear")}});
  resize({2, 2, 3, 4, 3}, reals({1, 1, 2, 1.5, 1}), no, {{"mode", word("nearest")}});
  resize(kImage, no, ints({5, 8}), {{"mode", word("linear")}, {"axes", Ints{2, 3}}});
  resize(kImage, reals({2, 0.5}), no, {{"mode", word("nearest")}, {"axes", Ints{-1, 2}}});
  resize(kImage, no, ints({2, 4, 10, 9}),
         {{"mode", word("cubic")}, {"exclude_outside", int64_t{1}}, {"cubic_coeff_a", -0.5}});
}

void add_rearrangements(std::vector<Case>& list) {
  const auto move = [&](std::string op, Shape x, std::vector<at::Tensor> c, Attributes a = {}) {
    list.push_back(moving({std::move(op), {std::move(x)}, std::move(c), std::move(a)}));
  };
  for (const char* mode : {"DCR", "CRD"})
    move("DepthToSpace", {2, 12, 2, 3}, {}, {{"blocksize", int64_t{2}}, {"mode", word(mode)}});
  move("SpaceToDepth", {2, 3, 6, 9}, {}, {{"blocksize", int64_t{3}}});
  move("Tile", kImage, {ints({1, 3, 1, 2})});
  move("Tile", {3}, {ints({4})});
  list.push_back({"Tile", {{2, 1, 3}}, {ints({1, 4, 2})}});
  const at::Tensor lengths = ints({3, 0, 1, 7});
  move("ReverseSequence", {7, 4, 3}, {lengths});
  move("ReverseSequence", {4, 7, 3}, {lengths},
       {{"batch_axis", int64_t{0}}, {"time_axis", int64_t{1}}});
  move("Compress", kImage, {ints({0, 1, 0, 1}).to(at::kBool)}, {{"axis", int64_t{1}}});
  move("Compress", kImage, {ints({1, 0, 1}).to(at::kBool)}, {{"axis", int64_t{-2}}});
  move("Compress", {2, 3}, {ints({0, 1, 1, 0, 1}).to(at::kBool)});
  for (const int64_t upper : {0, 1}) {
    list.push_back({"Trilu", {kImage}, {}, {{"upper", upper}}});
    list.push_back({"Trilu", {kImage}, {ints({-1}).squeeze()}, {{"upper", upper}}});
  }
}

void add_indexing(std::vector<Case>& list) {
  const auto move = [&](std::string op, Shape x, at::Tensor indices, Attributes a = {}) {
    list.push_back(moving({std::move(op), {std::move(x)}, {indices}, std::move(a)}));
  };
  move("GatherElements", {3, 4}, ints({2, 0, -1, 1, 0, 0, 1, 2}).reshape({2, 4}));
  move("GatherElements", {3, 4}, ints({2, 0, 3, 1, 0, -4}).reshape({3, 2}), {{"axis", int64_t{1}}});
  move("GatherND", {3, 4, 2}, ints({2, 0, 1, 1, -1, -4}).reshape({3, 2}));
  move("GatherND", {3, 4, 2}, ints({2, 0, 1}).reshape({1, 3, 1}));
  move("GatherND", {2, 3, 4}, ints({2, 1}).reshape({2, 1}), {{"batch_dims", int64_t{1}}});
  const auto scatter = [&](std::string op, at::Tensor indices, Shape updates, const char* how) {
    Case test{
        std::move(op), {{3, 4, 2}, std::move(updates)}, {indices}, {{"reduction", word(how)}}};
    test.moves_data = word(how) == "none";
    test.from_data = {true, false, true};
    list.push_back(test);
    return &list.back();
  };
  for (const char* how : {"none", "add", "mul", "max", "min"}) {
    scatter("ScatterElements", ints({0, 3, -2, 1}).reshape({1, 2, 2}), {1, 2, 2}, how)
        ->attributes["axis"] = int64_t{1};
    scatter("ScatterND", ints({2, 0, 0, -1}).reshape({2, 2}), {2, 2}, how);
    scatter("ScatterND", ints({1, -1}).reshape({2, 1}), {2, 4, 2}, how);
  }
  scatter("ScatterElements", ints({0, 0, 1, 1}).reshape({2, 2, 1}), {2, 2, 1}, "add");
  const at::Tensor classes = ints({0, 2, -1, 5, 1, -9}).reshape({2, 3});
  for (const int64_t axis : {0, 1, -1})
    list.push_back(
        {"OneHot", {}, {classes, ints({4}).squeeze(), reals({-1, 2})}, {{"axis", axis}}});
}

void add_searches(std::vector<Case>& list) {
  const at::Tensor ties = ints({3, 1, 3, 2, 1, 3, 0, 0}).reshape({2, 4}).to(at::kFloat);
  const at::Tensor columns = ints({3, 0, 3, 2, 1, 0, 1, 5}).reshape({2, 4}).to(at::kFloat);
  for (const char* op : {"ArgMax", "ArgMin"}) {
    list.push_back(without_gradient({op, {kImage}}));
    list.push_back(
        without_gradient({op, {kImage}, {}, {{"axis", int64_t{-2}}, {"keepdims", int64_t{0}}}}));
    for (const int64_t last : {0, 1})
      list.push_back({op, {}, {ties}, {{"axis", int64_t{1}}, {"select_last_index", last}}});
  }
  list.push_back({"TopK", {kImage}, {ints({3})}, {}, 2});
  list.push_back(
      {"TopK", {kImage}, {ints({2})}, {{"axis", int64_t{1}}, {"largest", int64_t{0}}}, 2});
  list.push_back({"TopK", {}, {ties, ints({3})}, {}, 2});
  list.push_back({"NonZero", {}, {ties}});
  for (const int64_t sorted : {0, 1}) {
    list.push_back({"Unique", {}, {ties}, {{"sorted", sorted}}, 4});
    list.push_back({"Unique", {}, {columns}, {{"sorted", sorted}, {"axis", int64_t{1}}}, 4});
  }
}

std::vector<Case> cases() {
  std::vector<Case> list;
  add_elementwise(list);
  add_normalisations_and_pools(list);
  add_resizes(list);
  add_rearrangements(list);
  add_indexing(list);
  add_searches(list);
  return list;
}

CRRM_CHECK_OPERATORS(More, cases());

Node node_of(const std::string& op, Attributes attributes) {
  return {.op = op,
          .name = "node",
          .domain = "",
          .inputs = {},
          .outputs = {"y"},
          .attributes = std::move(attributes)};
}

// ONNX has it for unsigned integers alone, in which no case is written.
TEST(BitShift, MultipliesOrDividesByPowersOfTwo) {
  const Tensors x{at::tensor({16, 4, 1}, at::kByte), at::tensor({1, 2, 3}, at::kByte)};
  const auto shifted = [&](const char* direction) {
    const Node node = node_of("BitShift", {{"direction", word(direction)}});
    return get_operator(node).forward(node, x, /*training=*/false)[0];
  };
  EXPECT_TRUE(at::equal(shifted("LEFT"), at::tensor({32, 16, 8}, at::kByte)));
  EXPECT_TRUE(at::equal(shifted("RIGHT"), at::tensor({8, 1, 0}, at::kByte)));
}

struct Refusal {
  std::string op;
  Tensors inputs;
  Attributes attributes;
  std::string found;
};

TEST(Refusals, SayWhatWasFound) {
  const at::Tensor image = weight(kImage), scales = reals({1, 1, 2, 2}), no;
  const Refusal refusals[] = {
      {"Resize", {image, no, scales}, {{"antialias", int64_t{1}}}, "antialias 1"},
      {"Resize",
       {image, no, scales},
       {{"coordinate_transformation_mode", word("tf_crop_and_resize")}},
       "tf_crop_and_resize"},
      {"Resize",
       {image, no, scales},
       {{"keep_aspect_ratio_policy", word("not_larger")}},
       "not_larger"},
      {"Resize", {image, no, reals({1, 1, 2})}, {}, "3"},
      {"Resize", {image, no, reals({1, 1, 0.1, 1})}, {}, "on axis 2 of extent 7"},
      {"DepthToSpace", {image}, {{"blocksize", int64_t{0}}}, "4"},
      {"SpaceToDepth", {image}, {{"blocksize", int64_t{2}}}, "7"},
      {"DepthToSpace", {image}, {{"blocksize", int64_t{2}}, {"mode", word("ABC")}}, "ABC"},
      {"Tile", {image, ints({2, 1})}, {}, "2"},
      {"GroupNormalization", {image, weight({4}), weight({4})}, {{"num_groups", int64_t{3}}}, "3"},
      {"LRN", {image}, {{"size", int64_t{0}}}, "0"},
      {"TopK", {image, ints({7})}, {}, "7"},
      {"GatherND", {image, ints({0, 0, 0, 0, 0})}, {}, "5"},
      {"ScatterND", {image, ints({0}), weight({4, 7, 6})}, {{"reduction", word("mean")}}, "mean"},
      {"ReverseSequence", {image, ints({1, 1})}, {{"time_axis", int64_t{2}}}, "2 and 1"},
      {"MaxPool",
       {image},
       {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t{1}}},
       "storage_order 1"},
      {"MaxUnpool",
       {image, no, ints({2, 4, 8, 8})},
       {{"kernel_shape", Ints{2, 2}}},
       "an output_shape"},
      {"MaxUnpool", {image}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2}}}, "[2]"},
      {"MaxPool", {image}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 0}}}, "[2, 0]"},
      {"GatherND", {image, ints({0})}, {{"batch_dims", int64_t{-1}}}, "-1"},
      {"Trilu", {ints({1, 2})}, {}, "rank 1"},
      {"LpPool", {image}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}}, "others"},
  };
  for (const Refusal& refusal : refusals) {
    Node node = node_of(refusal.op, refusal.attributes);
    node.outputs.push_back("second");
    try {
      get_operator(node).forward(node, refusal.inputs, /*training=*/false);
      ADD_FAILURE() << refusal.op << " took " << refusal.found;
    } catch (const InputError& error) {
      EXPECT_EQ(error.fault().place, describe(node));
      EXPECT_TRUE(error.fault().found.ends_with(refusal.found)) << error.what();
    }
  }
}

}  // namespace
}  // namespace crrm
