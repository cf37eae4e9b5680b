// A small residual network by hand, for tests of several rooms:
//   x [N, 3, 8, 8] -> conv1 -> bn1 -> relu -> (conv2 -> bn2 -> relu -> conv3) + shortcut -> relu
//   -> global average -> flatten -> fc -> y [N, classes]
// Units: 6 of the stream (conv1, conv3, fc columns), 4 inside (conv2, bn2).
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "crrm/graph/graph.h"

namespace crrm::test {

inline constexpr int64_t kStream = 6, kInner = 4, kClasses = 5;

class Builder {
 public:
  explicit Builder(uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  void conv(const std::string& name, const std::string& x, int64_t in, int64_t out) {
    graph.parameters[name + ".weight"] = random({out, in, 3, 3}) * (1.0 / std::sqrt(9.0 * in));
    graph.nodes.push_back({.op = "Conv",
                           .name = name,
                           .domain = "",
                           .inputs = {x, name + ".weight"},
                           .outputs = {name + ".out"},
                           .attributes = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}});
  }
  void norm(const std::string& name, const std::string& x, int64_t channels) {
    graph.parameters[name + ".scale"] = random({channels}).abs() + 0.5;
    graph.parameters[name + ".bias"] = random({channels}) * 0.3;
    graph.parameters[name + ".mean"] = random({channels}) * 0.3;
    graph.parameters[name + ".var"] = random({channels}).abs() + 0.5;
    graph.nodes.push_back(
        {.op = "BatchNormalization",
         .name = name,
         .domain = "",
         .inputs = {x, name + ".scale", name + ".bias", name + ".mean", name + ".var"},
         .outputs = {name + ".out"},
         .attributes = {}});
  }
  void add(const std::string& op, const std::string& name, std::vector<std::string> inputs) {
    graph.nodes.push_back({.op = op,
                           .name = name,
                           .domain = "",
                           .inputs = std::move(inputs),
                           .outputs = {name + ".out"},
                           .attributes = {}});
  }
  at::Tensor random(const Shape& shape) {
    return at::randn(shape, generator_, at::TensorOptions(at::kFloat));
  }

  Graph graph;

 private:
  at::Generator generator_;
};

inline Graph small_network(uint64_t seed = 1) {
  Builder b(seed);
  b.graph.inputs = {{"x", at::kFloat, {-1, 3, 8, 8}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 3, kStream);
  b.norm("bn1", "conv1.out", kStream);
  b.add("Relu", "relu1", {"bn1.out"});
  b.conv("conv2", "relu1.out", kStream, kInner);
  b.norm("bn2", "conv2.out", kInner);
  b.add("Relu", "relu2", {"bn2.out"});
  b.conv("conv3", "relu2.out", kInner, kStream);
  b.add("Add", "sum", {"conv3.out", "relu1.out"});
  b.add("Relu", "relu3", {"sum.out"});
  b.add("GlobalAveragePool", "pool", {"relu3.out"});
  b.add("Flatten", "flat", {"pool.out"});
  b.graph.parameters["fc.weight"] = b.random({kStream, kClasses});
  b.graph.parameters["fc.bias"] = b.random({kClasses});
  b.add("Gemm", "fc", {"flat.out", "fc.weight", "fc.bias"});
  b.graph.outputs = {{"fc.out", at::kFloat, {-1, kClasses}, {"batch", ""}}};
  return b.graph;
}

inline at::Tensor small_input(int64_t batch = 4, uint64_t seed = 2) {
  return at::randn({batch, 3, 8, 8}, at::detail::createCPUGenerator(seed),
                   at::TensorOptions(at::kFloat));
}

}  // namespace crrm::test
