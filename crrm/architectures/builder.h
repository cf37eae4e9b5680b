// Layer by layer to a graph: each call reads what the one before wrote.
#pragma once

#include <cstdint>
#include <string>

#include "crrm/graph/graph.h"

namespace crrm {

/// Weights are drawn from N(0, 2 / fan-in), biases are 0.
/// Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.
class Builder {
 public:
  Builder(const std::string& name, const Shape& sample, uint64_t seed);

  const Shape& shape() const { return shape_; }  ///< of what was written last, without the batch

  /// Square kernel, stride 1, with `pad` zeros on each side. A layer that BatchNormalization
  /// follows needs no bias.
  void conv(const std::string& name, int64_t channels, int64_t kernel, int64_t pad, bool bias);
  void batch_norm(const std::string& name);
  void relu();
  void max_pool(int64_t kernel);  ///< stride = kernel
  void global_average_pool();     ///< [C, H, W] -> [C]
  void flatten();                 ///< [...] -> [product]
  void linear(const std::string& name, int64_t features);

  /// The network up to here; its output is called "logits".
  Graph finish();

 private:
  std::string parameter(const std::string& name, const at::Tensor& value);
  at::Tensor kaiming(const Shape& shape);
  void add(const std::string& op, std::vector<std::string> parameters,
           std::map<std::string, Attribute> attributes, Shape shape);

  Graph graph_;
  Shape shape_;
  std::string value_;
  uint64_t seed_;
  uint64_t draws_ = 0;
};

}  // namespace crrm
