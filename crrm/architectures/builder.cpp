#include "crrm/architectures/builder.h"

#include <ATen/CPUGeneratorImpl.h>

#include "crrm/base/error.h"
#include "crrm/base/random.h"

namespace crrm {

Builder::Builder(const std::string& name, const Shape& sample, uint64_t seed)
    : shape_(sample), value_("input"), seed_(seed) {
  graph_.name = name;
  Port input{.name = value_, .type = at::kFloat, .shape = {-1}, .symbols = {"batch"}};
  input.shape.insert(input.shape.end(), sample.begin(), sample.end());
  input.symbols.resize(input.shape.size());
  graph_.inputs = {input};
}

std::string Builder::parameter(const std::string& name, const at::Tensor& value) {
  graph_.parameters[name] = value;
  return name;
}

at::Tensor Builder::kaiming(const Shape& shape) {
  int64_t fan_in = 1;
  for (size_t a = 1; a < shape.size(); ++a) fan_in *= shape[a];
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(mix(seed_, ++draws_));
  const at::Tensor unit = at::randn(shape, generator, at::TensorOptions(at::kDouble));
  return (unit * std::sqrt(2.0 / static_cast<double>(fan_in))).to(at::kFloat);
}

void Builder::add(const std::string& op, std::vector<std::string> parameters,
                  std::map<std::string, Attribute> attributes, Shape shape) {
  const std::string name = fmt::format("{}_{}", op, graph_.nodes.size());
  std::vector<std::string> inputs = {value_};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  graph_.nodes.push_back({.op = op,
                          .name = name,
                          .domain = "",
                          .inputs = std::move(inputs),
                          .outputs = {name + "_out"},
                          .attributes = std::move(attributes)});
  value_ = name + "_out";
  shape_ = std::move(shape);
}

void Builder::conv(const std::string& name, int64_t channels, int64_t kernel, int64_t pad,
                   bool bias) {
  std::vector<std::string> parameters = {
      parameter(name + ".weight", kaiming({channels, shape_[0], kernel, kernel}))};
  if (bias) parameters.push_back(parameter(name + ".bias", at::zeros({channels})));
  const int64_t shrink = 2 * pad - kernel + 1;
  add("Conv", std::move(parameters),
      {{"kernel_shape", Shape{kernel, kernel}}, {"pads", Shape{pad, pad, pad, pad}}},
      {channels, shape_[1] + shrink, shape_[2] + shrink});
}

void Builder::batch_norm(const std::string& name) {
  const int64_t channels = shape_[0];
  add("BatchNormalization",
      {parameter(name + ".weight", at::ones({channels})),
       parameter(name + ".bias", at::zeros({channels})),
       parameter(name + ".running_mean", at::zeros({channels})),
       parameter(name + ".running_var", at::ones({channels}))},
      {}, shape_);
}

void Builder::relu() {
  add("Relu", {}, {}, shape_);
}

void Builder::max_pool(int64_t kernel) {
  add("MaxPool", {}, {{"kernel_shape", Shape{kernel, kernel}}, {"strides", Shape{kernel, kernel}}},
      {shape_[0], shape_[1] / kernel, shape_[2] / kernel});
}

void Builder::global_average_pool() {
  add("GlobalAveragePool", {}, {}, {shape_[0], 1, 1});
  flatten();
}

void Builder::flatten() {
  int64_t features = 1;
  for (const int64_t extent : shape_) features *= extent;
  add("Flatten", {}, {{"axis", int64_t{1}}}, {features});
}

void Builder::linear(const std::string& name, int64_t features) {
  if (shape_.size() != 1) throw InternalError("a linear layer reads [N, features]");
  add("Gemm",
      {parameter(name + ".weight", kaiming({features, shape_[0]})),
       parameter(name + ".bias", at::zeros({features}))},
      {{"transB", int64_t{1}}}, {features});
}

Graph Builder::finish() {
  graph_.nodes.back().outputs = {"logits"};
  graph_.outputs = {{.name = "logits", .type = at::kFloat, .shape = {-1}, .symbols = {"batch"}}};
  for (const int64_t extent : shape_) {
    graph_.outputs[0].shape.push_back(extent);
    graph_.outputs[0].symbols.emplace_back();
  }
  check(graph_, graph_.name);
  return std::move(graph_);
}

}  // namespace crrm
