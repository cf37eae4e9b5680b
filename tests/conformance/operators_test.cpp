// The checks of every operator case (operator_case.h), and the cases of the operators that most
// networks have.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "crrm/graph/executor.h"
#include "crrm/graph/labels.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/surgery/cut.h"
#include "tests/conformance/operator_case.h"
#include "tests/strict_device.h"

namespace crrm {
namespace {

at::Tensor random(Shape shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

}  // namespace

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.op;
}
std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return fmt::format("{}_{}", info.index, info.param.op);
}

at::Tensor ints(Ints values) {
  return at::tensor(values, at::kLong);
}
at::Tensor scalar(double value) {
  return at::tensor(value, at::kFloat);
}
at::Tensor weight(Shape shape) {
  return random(shape, 1000 + shape.size());
}
at::Tensor positive(Shape shape) {
  return weight(shape).abs() + 0.5;
}

std::vector<Case> that_move_data(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& test) { return !test.moves_data; });
  return cases;
}
std::vector<Case> with_gradient(std::vector<Case> cases) {
  std::erase_if(cases,
                [](const Case& test) { return test.inputs.empty() || !test.differentiable; });
  return cases;
}

namespace {

std::vector<Case> cases() {
  const Shape image{2, 4, 7, 6};
  std::vector<Case> list;
  for (const char* op : {"Abs",   "Ceil",     "Cos",         "Elu",       "Erf",      "Exp",
                         "Floor", "Gelu",     "HardSigmoid", "HardSwish", "Identity", "LeakyRelu",
                         "Mish",  "Neg",      "Reciprocal",  "Relu",      "Selu",     "Sigmoid",
                         "Sin",   "Softplus", "Softsign",    "Tanh"})
    list.push_back({op, {image}});
  list.push_back({"LeakyRelu", {image}, {}, {{"alpha", 0.3}}});
  list.push_back({"Elu", {image}, {}, {{"alpha", 0.7}}});
  list.push_back({"HardSigmoid", {image}, {}, {{"alpha", 0.3}, {"beta", 0.4}}});
  list.push_back({"Gelu", {image}, {}, {{"approximate", std::string("tanh")}}});
  list.push_back({"Clip", {image}, {scalar(-0.5), scalar(0.8)}});
  list.push_back({"Clip", {image}, {at::Tensor(), scalar(0.8)}});
  list.push_back({"PRelu", {image}, {weight({4, 1, 1})}});
  list.push_back({"Sqrt", {}, {positive(image)}});
  list.push_back({"Log", {}, {positive(image)}});
  list.push_back({"Pow", {}, {positive(image), scalar(1.7)}});
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    list.push_back({op, {image, image}});
    list.push_back({op, {image}, {positive({4, 1, 1})}});
  }
  // Contractions.
  const auto conv = [&](Shape x, Shape w, Attributes a, bool bias = true) {
    list.push_back({"Conv", {x}, {weight(w), bias ? weight({w[0]}) : at::Tensor()}, std::move(a)});
  };
  conv(image, {5, 4, 3, 3}, {});
  conv(image, {5, 4, 3, 2}, {{"pads", Ints{1, 0, 2, 1}}, {"strides", Ints{2, 1}}}, false);
  conv(image, {6, 2, 3, 3}, {{"group", int64_t{2}}, {"pads", Ints{1, 1, 1, 1}}});
  conv(image, {8, 1, 3, 3},
       {{"group", int64_t{4}}, {"dilations", Ints{2, 1}}, {"pads", Ints{2, 1, 2, 1}}});
  conv(image, {5, 4, 3, 3}, {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}});
  conv(image, {5, 4, 4, 4}, {{"auto_pad", std::string("SAME_LOWER")}});
  conv({2, 3, 9}, {4, 3, 3}, {{"pads", Ints{1, 1}}});
  conv({2, 2, 5, 5, 5}, {3, 2, 3, 3, 3}, {});
  const auto deconv = [&](Shape w, Attributes a) {
    list.push_back({"ConvTranspose", {image}, {weight(w)}, std::move(a)});
  };
  deconv({4, 5, 3, 3}, {{"strides", Ints{2, 2}}});
  deconv({4, 5, 3, 3},
         {{"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 1}}, {"output_padding", Ints{1, 0}}});
  deconv({4, 1, 2, 2},
         {{"group", int64_t{4}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
  list.push_back({"Gemm", {{3, 5}}, {weight({5, 4}), weight({4})}});
  list.push_back({"Gemm",
                  {{5, 3}},
                  {weight({4, 5}), weight({3, 1})},
                  {{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 0.5}, {"beta", 2.0}}});
  list.push_back({"MatMul", {{2, 3, 4, 5}}, {weight({5, 6})}});
  list.push_back({"MatMul", {{2, 3, 4, 5}, {3, 5, 2}}});
  // Normalisations.
  list.push_back({"BatchNormalization",
                  {image},
                  {positive({4}), weight({4}), weight({4}), positive({4})},
                  {{"epsilon", 1e-3}}});
  list.push_back({"InstanceNormalization", {image}, {positive({4}), weight({4})}});
  list.push_back({"LayerNormalization", {image}, {positive({6}), weight({6})}});
  list.push_back({"LayerNormalization", {image}, {positive({7, 6})}, {{"axis", int64_t{2}}}});
  for (const char* op : {"Softmax", "LogSoftmax"})
    for (const int64_t axis : {1, -1}) list.push_back({op, {image}, {}, {{"axis", axis}}});
  // Pooling.
  for (const char* op : {"MaxPool", "AveragePool"}) {
    const auto pool = [&](Attributes a) { list.push_back({op, {image}, {}, std::move(a)}); };
    pool({{"kernel_shape", Ints{2, 3}}});
    pool({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
    pool({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{0, 1, 1, 0}}});
    pool({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}});
    pool({{"kernel_shape", Ints{2, 2}},
          {"strides", Ints{3, 3}},
          {"ceil_mode", int64_t{1}},
          {"pads", Ints{1, 1, 1, 1}}});
  }
  list.push_back(
      {"MaxPool", {image}, {}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}}});
  list.push_back({"AveragePool",
                  {image},
                  {},
                  {{"kernel_shape", Ints{3, 3}},
                   {"pads", Ints{1, 1, 1, 1}},
                   {"count_include_pad", int64_t{1}}}});
  list.push_back({"GlobalAveragePool", {image}});
  list.push_back({"GlobalMaxPool", {image}});
  // Reductions.
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
                         "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"}) {
    list.push_back({op, {image}, {ints({2, 3})}, {{"keepdims", int64_t{0}}}});
    list.push_back({op, {image}, {ints({-3})}});
    list.push_back({op, {image}});
  }
  list.push_back({"ReduceSum", {image}, {}, {{"noop_with_empty_axes", int64_t{1}}}});
  list.push_back({"CumSum",
                  {image},
                  {ints({1}).squeeze()},
                  {{"reverse", int64_t{1}}, {"exclusive", int64_t{1}}}});
  // Moving data.
  const auto move = [&](std::string op, std::vector<Shape> x, std::vector<at::Tensor> c,
                        Attributes a = {}, size_t outputs = 1) {
    list.push_back({std::move(op), std::move(x), std::move(c), std::move(a), outputs, true});
  };
  move("Concat", {image, {2, 3, 7, 6}}, {}, {{"axis", int64_t{1}}});
  move("Concat", {image, {2, 4, 7, 1}}, {}, {{"axis", int64_t{-1}}});
  move("Split", {image}, {ints({1, 3})}, {{"axis", int64_t{1}}}, 2);
  move("Split", {image}, {}, {{"axis", int64_t{2}}, {"num_outputs", int64_t{3}}}, 3);
  move("Slice", {image}, {ints({1, 0}), ints({4, 5}), ints({1, 3}), ints({2, 1})});
  move("Slice", {image}, {ints({-1}), ints({INT64_MIN}), ints({1}), ints({-1})});
  move("Slice", {image}, {ints({1}), ints({100})});
  move("Gather", {image}, {ints({3, 0, -1, 0})}, {{"axis", int64_t{1}}});
  move("Gather", {image}, {ints({2}).squeeze()}, {{"axis", int64_t{1}}});
  move("Gather", {{5, 3}}, {ints({4, 0, 1, 2}).reshape({2, 2})});
  move("Reshape", {image}, {ints({0, -1})});
  move("Reshape", {image}, {ints({2, 2, 2, 42})});
  move("Reshape", {image}, {ints({8, 7, 2, 3})});
  move("Flatten", {image}, {});
  move("Flatten", {image}, {}, {{"axis", int64_t{-2}}});
  move("Squeeze", {{2, 1, 3, 1}}, {ints({-1})});
  move("Squeeze", {{2, 1, 3, 1}}, {});
  move("Unsqueeze", {{2, 3}}, {ints({0, -1})});
  move("Transpose", {image}, {}, {{"perm", Ints{0, 2, 3, 1}}});
  move("Transpose", {image}, {});
  move("Expand", {{2, 4, 1, 6}}, {ints({2, 1, 7, 6})});
  move("Expand", {{4, 1}}, {ints({2, 1, 3})});
  list.push_back({"Pad", {image}, {ints({0, 1, 0, 0, 0, 2, 1, 0})}});
  list.push_back({"Pad", {image}, {ints({1, 2, 0, 1}), scalar(1.5), ints({1, -1})}});
  for (const char* mode : {"reflect", "edge", "wrap"})
    list.push_back(
        {"Pad", {image}, {ints({0, 0, 2, 1, 0, 0, 1, 2})}, {{"mode", std::string(mode)}}});
  list.push_back({"Where", {}, {weight(image) > 0, weight(image), weight({4, 1, 1})}});
  return list;
}

Tensors inputs_of(const Case& test) {
  Tensors inputs;
  for (size_t i = 0; i < test.inputs.size(); ++i) inputs.push_back(random(test.inputs[i], 10 + i));
  return inputs;
}

Graph graph_of(const Case& test) {
  Graph graph;
  Node node{.op = test.op,
            .name = "node",
            .domain = "",
            .inputs = {},
            .outputs = {},
            .attributes = test.attributes};
  const auto add_input = [&](size_t i) {
    const std::string name = fmt::format("x{}", i);
    graph.inputs.push_back(
        {name, at::kFloat, test.inputs[i], std::vector<std::string>(test.inputs[i].size())});
    node.inputs.push_back(name);
  };
  const auto add_constant = [&](size_t i) {
    const std::string name = test.constants[i].defined() ? fmt::format("c{}", i) : "";
    if (!name.empty()) graph.parameters[name] = test.constants[i];
    node.inputs.push_back(name);
  };
  size_t input = 0, constant = 0;
  for (const bool from_data : test.from_data)
    from_data ? add_input(input++) : add_constant(constant++);
  while (input < test.inputs.size()) add_input(input++);
  while (constant < test.constants.size()) add_constant(constant++);
  while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
  for (size_t i = 0; i < test.outputs; ++i) node.outputs.push_back(fmt::format("y{}", i));
  graph.nodes.push_back(node);
  for (const std::string& name : node.outputs) graph.outputs.push_back({name, at::kFloat, {}, {}});
  const Tensors results = Executor(graph).run(inputs_of(test));
  const ShapeTable shapes = infer_shapes(graph, test.inputs);
  for (size_t i = 0; i < test.outputs; ++i) {
    Port& port = graph.outputs[i];
    port.type = results[i].scalar_type();
    port.shape = shapes.at(port.name);
    port.symbols.resize(port.shape.size());
  }
  return graph;
}

TEST_P(OperatorTest, ForwardIsOnnxRuntimes) {
  if (!OnnxRuntime::available()) GTEST_SKIP() << OnnxRuntime::reason_unavailable();
  const Graph graph = graph_of(GetParam());
  const Tensors found = Executor(graph).run(inputs_of(GetParam()));
  const Tensors expected =
      OnnxRuntime::from_bytes("case", onnx_bytes(graph), 1).run(inputs_of(GetParam()));
  EXPECT_LT(difference(expected, found).relative, 1e-5);
}

// The shapes that meta tensors give are those of a real run.
TEST_P(OperatorTest, InferredShapesAreThoseOfARun) {
  const Graph graph = graph_of(GetParam());
  const Tensors found = Executor(graph).run(inputs_of(GetParam()));
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(graph.outputs[i].shape, found[i].sizes().vec());
}

TEST_P(OperatorTest, RunsOnADevice) {
  const Graph graph = graph_of(GetParam());
  const Tensors expected = Executor(graph).run(inputs_of(GetParam()));
  const Tensors found = Executor(to(graph, test::kStrictDevice)).run(inputs_of(GetParam()));
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(at::allclose(expected[i], found[i].cpu(), 0, 0, /*equal_nan=*/true))
        << "output " << i;
}

// A rule written twice is checked against itself: `couple` must join exactly the indices that
// `forward` copies from one to the other, unless it freezes the axis.
TEST_P(MovingOperatorTest, CouplingIsWhatForwardCopies) {
  const Graph graph = graph_of(GetParam());
  const ShapeTable shapes = infer_shapes(graph, GetParam().inputs);
  Labels labels(graph, shapes);
  const Node& node = graph.nodes[0];
  get_operator(node).couple(node, labels);
  labels.resolve();
  // Element by element: where it came from (input, flat position).
  Tensors sources;
  int64_t next = 0;
  for (const Shape& shape : GetParam().inputs) {
    const int64_t count = c10::multiply_integers(shape);
    sources.push_back(at::arange(next, next + count, at::kFloat).reshape(shape));
    next += count;
  }
  const Tensors moved = Executor(graph).run(sources);
  for (size_t i = 0; i < moved.size(); ++i)
    for (int64_t e = 0; e < moved[i].numel(); ++e) {
      int64_t from = static_cast<int64_t>(moved[i].flatten()[e].item<float>());
      size_t x = 0;
      while (from >= sources[x].numel()) from -= sources[x++].numel();
      // The element falls in the output exactly when it falls in the input.
      const auto fate = [&](const std::string& value, const Shape& shape, int64_t position) {
        std::set<Label> roots;
        for (size_t a = shape.size(); a-- > 0; position /= shape[a]) {
          const Label label = labels.axis(value, static_cast<int64_t>(a))[position % shape[a]];
          if (!labels.frozen(label)) roots.insert(labels.find(label));
        }
        return roots;
      };
      ASSERT_EQ(fate(node.outputs[i], moved[i].sizes().vec(), e),
                fate(graph.inputs[x].name, GetParam().inputs[x], from))
          << "output " << i << " element " << e;
    }
}

// Directional derivative in float64 by central differences.
TEST_P(DifferentiableOperatorTest, GradientIsThatOfDifferences) {
  const Executor executor(to_type(graph_of(GetParam()), at::kDouble));
  Tensors x, direction;
  for (const at::Tensor& input : inputs_of(GetParam())) {
    x.push_back(input.to(at::kDouble).requires_grad_(true));
    direction.push_back(
        at::randn_like(input.to(at::kDouble).detach(), at::detail::createCPUGenerator(5), {}));
  }
  const auto value = [&](double step) {
    Tensors moved;
    for (size_t i = 0; i < x.size(); ++i) moved.push_back(x[i].detach() + step * direction[i]);
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (const at::Tensor& y : executor.run(moved))
      sum = sum + (y * at::sin(at::arange(y.numel(), at::kDouble)).view(y.sizes())).sum();
    return sum.item<double>();
  };
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (const at::Tensor& y : executor.run(x))
    sum = sum + (y * at::sin(at::arange(y.numel(), at::kDouble)).view(y.sizes())).sum();
  ASSERT_TRUE(sum.requires_grad());
  double slope = 0;
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({sum}, {x.begin(), x.end()}, {}, {}, false, true);
  for (size_t i = 0; i < x.size(); ++i)
    if (gradients[i].defined()) slope += (gradients[i] * direction[i]).sum().item<double>();
  constexpr double h = 1e-7;  // small: few elements of Relu and the like lie that near to a kink
  EXPECT_NEAR((value(h) - value(-h)) / (2 * h), slope, 1e-4 * std::max(1.0, std::abs(slope)));
}

TEST_P(DifferentiableOperatorTest, GradientOnADeviceIsTheCpus) {
  const Graph graph = graph_of(GetParam());
  const auto gradients = [&](at::Device device) {
    Tensors x = inputs_of(GetParam());
    for (at::Tensor& input : x) input.requires_grad_(true);
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (const at::Tensor& y : Executor(to(graph, device)).run(x))
      if (y.requires_grad()) sum = sum + y.to(at::kCPU, at::kDouble).square().sum();
    return torch::autograd::grad({sum}, {x.begin(), x.end()}, {}, {}, false, true);
  };
  const std::vector<at::Tensor> expected = gradients(at::kCPU);
  const std::vector<at::Tensor> found = gradients(test::kStrictDevice);
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(expected[i].defined(), found[i].defined());
    if (!found[i].defined()) continue;
    EXPECT_TRUE(at::equal(expected[i], found[i])) << "input " << i;
  }
}

CRRM_CHECK_OPERATORS(Operators, cases());

}  // namespace
}  // namespace crrm
