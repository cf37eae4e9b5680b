#include "crrm/architectures/builder.h"

#include <ATen/CPUGeneratorImpl.h>

#include "crrm/base/error.h"
#include "crrm/base/random.h"

namespace crrm {

namespace {

using Attributes = std::map<std::string, Attribute>;

Attributes attributes_of(const Window& window) {
  Attributes attributes = {{"kernel_shape", Shape{window.kernel, window.kernel}}};
  if (window.same)
    attributes["auto_pad"] = std::string("SAME_UPPER");
  else
    attributes["pads"] = Shape(4, window.pad);
  if (window.stride > 1) attributes["strides"] = Shape{window.stride, window.stride};
  return attributes;
}

int64_t steps(const Window& window, int64_t extent) {
  if (window.same) return (extent + window.stride - 1) / window.stride;
  return (extent + 2 * window.pad - window.kernel) / window.stride + 1;
}

void require_map(const Shape& shape) {
  if (shape.size() != 3) throw InternalError("this layer reads [N, C, H, W]");
}

int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

}  // namespace

Builder::Builder(const std::string& name, const Shape& sample, uint64_t seed)
    : value_{"input", sample}, seed_(seed) {
  graph_.name = name;
  Port input{.name = value_.name, .type = at::kFloat, .shape = {-1}, .symbols = {"batch"}};
  input.shape.insert(input.shape.end(), sample.begin(), sample.end());
  input.symbols.resize(input.shape.size());
  graph_.inputs = {input};
}

std::string Builder::parameter(const std::string& layer, std::string_view role,
                               const at::Tensor& value) {
  const std::string name = fmt::format("{}.{}", layer, role);
  graph_.parameters[name] = value;
  return name;
}

/// An input of the next node, which is no weight.
std::string Builder::constant(const std::string& op, const std::string& input,
                              const at::Tensor& value) {
  return parameter(fmt::format("{}_{}", op, graph_.nodes.size()), input, value);
}

at::Tensor Builder::draw(const Shape& shape) {
  const int64_t fan_in = elements(shape) / shape[0];
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(mix(seed_, ++draws_));
  const at::Tensor unit = at::randn(shape, generator, at::TensorOptions(at::kDouble));
  return (unit * std::sqrt(gain_ / static_cast<double>(fan_in))).to(at::kFloat);
}

void Builder::write(const std::string& op, const std::vector<std::string>& others,
                    Attributes attributes, Shape shape) {
  const std::string name = fmt::format("{}_{}", op, graph_.nodes.size());
  std::vector<std::string> inputs = {value_.name};
  inputs.insert(inputs.end(), others.begin(), others.end());
  graph_.nodes.push_back({.op = op,
                          .name = name,
                          .domain = "",
                          .inputs = std::move(inputs),
                          .outputs = {name + "_out"},
                          .attributes = std::move(attributes)});
  value_ = {name + "_out", std::move(shape)};
}

void Builder::conv(const std::string& name, int64_t channels, const Window& window, bool bias,
                   int64_t groups) {
  require_map(shape());
  std::vector<std::string> parameters = {
      parameter(name, convention_.weight,
                draw({channels, shape()[0] / groups, window.kernel, window.kernel}))};
  if (bias) parameters.push_back(parameter(name, convention_.bias, at::zeros({channels})));
  Attributes attributes = attributes_of(window);
  if (groups > 1) attributes["group"] = groups;
  write("Conv", parameters, std::move(attributes),
        {channels, steps(window, shape()[1]), steps(window, shape()[2])});
}

void Builder::batch_norm(const std::string& name) {
  const int64_t channels = shape()[0];
  Attributes attributes;
  if (convention_.epsilon != kPyTorch.epsilon) attributes["epsilon"] = convention_.epsilon;
  write("BatchNormalization",
        {parameter(name, convention_.scale, at::ones({channels})),
         parameter(name, convention_.shift, at::zeros({channels})),
         parameter(name, convention_.mean, at::zeros({channels})),
         parameter(name, convention_.variance, at::ones({channels}))},
        std::move(attributes), shape());
}

void Builder::relu() {
  write("Relu", {}, {}, shape());
}

void Builder::tanh() {
  write("Tanh", {}, {}, shape());
}

void Builder::leaky_relu(double slope) {
  write("LeakyRelu", {}, {{"alpha", slope}}, shape());
}

void Builder::clip(double low, double high) {
  write("Clip",
        {constant("Clip", "min", at::scalar_tensor(low)),
         constant("Clip", "max", at::scalar_tensor(high))},
        {}, shape());
}

void Builder::max_pool(const Window& window) {
  require_map(shape());
  Attributes attributes = attributes_of(window);
  if (window.pad == 0) attributes.erase("pads");
  write("MaxPool", {}, std::move(attributes),
        {shape()[0], steps(window, shape()[1]), steps(window, shape()[2])});
}

void Builder::global_average_pool() {
  require_map(shape());
  write("GlobalAveragePool", {}, {}, {shape()[0], 1, 1});
  flatten();
}

void Builder::flatten() {
  write("Flatten", {}, {{"axis", int64_t{1}}}, {elements(shape())});
}

void Builder::reshape(const Shape& sample) {
  Shape target = {0};  // the batch stays
  target.insert(target.end(), sample.begin(), sample.end());
  write("Reshape", {constant("Reshape", "shape", at::tensor(target, at::kLong))}, {}, sample);
}

void Builder::subsample(int64_t stride) {
  require_map(shape());
  const auto both = [](int64_t first, int64_t second) {
    return at::tensor({first, second}, at::kLong);
  };
  const Window every{.kernel = 1, .stride = stride};
  write("Slice",
        {constant("Slice", "starts", both(0, 0)),
         constant("Slice", "ends", both(shape()[1], shape()[2])),
         constant("Slice", "axes", both(2, 3)), constant("Slice", "steps", both(stride, stride))},
        {}, {shape()[0], steps(every, shape()[1]), steps(every, shape()[2])});
}

void Builder::pad_channels(int64_t each_side) {
  require_map(shape());
  const Shape pads = {0, each_side, 0, 0, 0, each_side, 0, 0};
  write("Pad", {constant("Pad", "pads", at::tensor(pads, at::kLong))}, {},
        {shape()[0] + 2 * each_side, shape()[1], shape()[2]});
}

void Builder::add(const Value& other) {
  if (other.shape != shape())
    throw InternalError(fmt::format("a sum of [{}] and [{}]", fmt::join(shape(), ", "),
                                    fmt::join(other.shape, ", ")));
  write("Add", {other.name}, {}, shape());
}

void Builder::linear(const std::string& name, int64_t features) {
  if (shape().size() != 1) throw InternalError("a linear layer reads [N, features]");
  write("Gemm",
        {parameter(name, convention_.weight, draw({features, shape()[0]})),
         parameter(name, convention_.bias, at::zeros({features}))},
        {{"transB", int64_t{1}}}, {features});
}

Graph Builder::finish(const std::string& output) {
  graph_.nodes.back().outputs = {output};
  graph_.outputs = {{.name = output, .type = at::kFloat, .shape = {-1}, .symbols = {"batch"}}};
  for (const int64_t extent : shape()) {
    graph_.outputs[0].shape.push_back(extent);
    graph_.outputs[0].symbols.emplace_back();
  }
  check(graph_, graph_.name);
  return std::move(graph_);
}

}  // namespace crrm
