// Layer by layer to a graph: each call reads what the one before wrote, or what `read` names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crrm/graph/graph.h"

namespace crrm {

/// What a framework calls the parameters of a layer, behind the layer's name, and what it adds to
/// the variance in BatchNormalization.
struct Convention {
  std::string_view weight, bias;
  std::string_view scale, shift, mean, variance;  ///< of BatchNormalization
  double epsilon;
};

inline constexpr Convention kPyTorch = {.weight = "weight",
                                        .bias = "bias",
                                        .scale = "weight",
                                        .shift = "bias",
                                        .mean = "running_mean",
                                        .variance = "running_var",
                                        .epsilon = 1e-5};
inline constexpr Convention kKeras = {.weight = "kernel",
                                      .bias = "bias",
                                      .scale = "gamma",
                                      .shift = "beta",
                                      .mean = "moving_mean",
                                      .variance = "moving_variance",
                                      .epsilon = 1e-3};

/// A square that slides over a map.
struct Window {
  int64_t kernel;
  int64_t stride = 1;
  int64_t pad = 0;    ///< zeros on each side
  bool same = false;  ///< instead: ceil(extent / stride) steps; an odd zero lies behind
};

/// Weights are drawn from N(0, gain / fan-in), gain = 2 unless `draw_with` says otherwise; biases
/// are 0.
/// Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.
class Builder {
 public:
  /// What a layer wrote. Any number of layers may read it.
  struct Value {
    std::string name;
    Shape shape;  ///< without the batch
  };

  Builder(const std::string& name, const Shape& sample, uint64_t seed);

  void follow(const Convention& convention) { convention_ = convention; }

  void draw_with(double gain) { gain_ = gain; }

  const Value& value() const { return value_; }  ///< what was written last, or is read next
  const Shape& shape() const { return value_.shape; }
  void read(Value value) { value_ = std::move(value); }

  /// A layer that BatchNormalization follows needs no bias.
  /// @param groups  divides the channels of both sides; a channel each: depthwise
  void conv(const std::string& name, int64_t channels, const Window& window, bool bias,
            int64_t groups = 1);
  void batch_norm(const std::string& name);
  void relu();
  void tanh();
  void leaky_relu(double slope);
  void clip(double low, double high);
  void max_pool(const Window& window);
  void global_average_pool();            ///< [C, H, W] -> [C]
  void flatten();                        ///< [...] -> [product]
  void reshape(const Shape& sample);     ///< as many elements, in the same order
  void subsample(int64_t stride);        ///< of each `stride` rows and columns the first
  void pad_channels(int64_t each_side);  ///< zeros
  void add(const Value& other);          ///< of the same shape
  void linear(const std::string& name, int64_t features);

  /// The network up to here, with one output.
  Graph finish(const std::string& output);

 private:
  std::string parameter(const std::string& layer, std::string_view role, const at::Tensor& value);
  std::string constant(const std::string& op, const std::string& input, const at::Tensor& value);
  at::Tensor draw(const Shape& shape);
  void write(const std::string& op, const std::vector<std::string>& others,
             std::map<std::string, Attribute> attributes, Shape shape);

  Graph graph_;
  Value value_;
  Convention convention_ = kPyTorch;
  double gain_ = 2;
  uint64_t seed_;
  uint64_t draws_ = 0;
};

}  // namespace crrm
