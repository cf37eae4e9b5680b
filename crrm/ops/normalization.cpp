// Normalisations.
#include <numeric>

#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

constexpr double kOnnxEpsilon = 1e-5;  // ONNX's default for all of them

// BatchNormalization (ONNX 15): y = (x - mean) / sqrt(var + epsilon) * scale + bias per channel;
// ONNX's momentum weighs the old statistics, ATen's the new.
// Couples  x[n c s], scale[c], bias[c], mean[c], var[c] -> y[n c s]
// Training is crrm's to say, not the node's: training_mode 1 is refused.
class BatchNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool training) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    if (node.integer("training_mode", 0) != 0)
      throw InputError({.place = describe(node),
                        .expected = "batch normalization for inference",
                        .found = "training_mode 1",
                        .hint = "export the model in evaluation mode"});
    return {at::batch_norm(x[0], x[1], x[2], x[3], x[4], training,
                           1 - node.real("momentum", kOnnxMomentum),
                           node.real("epsilon", kOnnxEpsilon), /*cudnn_enabled=*/true)};
  }

  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    for (size_t i = 1; i < 5; ++i) labels.merge(node.inputs[i], 0, node.outputs[0], 1);
  }

  /// One multiplication an element, which a deployed network folds into the convolution before.
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }
  bool learns(size_t i) const override { return i == 1 || i == 2; }
  bool pointwise() const override { return true; }  // in inference

 private:
  static constexpr double kOnnxMomentum = 0.9;
};

// InstanceNormalization (ONNX 6): statistics per sample and channel over the positions.
// Couples  x[n c s], scale[c], bias[c] -> y[n c s]
class InstanceNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    return {at::instance_norm(x[0], x[1], x[2], {}, {}, /*use_input_stats=*/true, 0,
                              node.real("epsilon", kOnnxEpsilon), /*cudnn_enabled=*/true)};
  }

  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    for (int64_t a = 2; a < labels.rank(node.inputs[0]); ++a)
      labels.freeze(node.inputs[0], a, fmt::format("normalised over ({})", describe(node)));
    for (size_t i = 1; i < 3; ++i) labels.merge(node.inputs[i], 0, node.outputs[0], 1);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no contraction
  bool learns(size_t i) const override { return i == 1 || i == 2; }
};

// LayerNormalization (ONNX 17): statistics over the axes from `axis` on, which stay whole.
// Its further outputs are the mean and 1 / sqrt(var + epsilon).
// Couples  x[.. d], scale[d], bias[d] -> y[.. d], mean[.. 1], inverse[.. 1], d frozen
class LayerNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim());
    if (x[0].is_meta()) {  // no meta kernel in C++
      Shape shape = x[0].sizes().vec();
      std::fill(shape.begin() + axis, shape.end(), 1);
      const at::Tensor statistics = at::empty(shape, x[0].options());
      return {at::empty_like(x[0]), statistics, statistics};
    }
    const at::IntArrayRef normalised = x[0].sizes().slice(static_cast<size_t>(axis));
    const double epsilon = node.real("epsilon", kOnnxEpsilon);
    const at::Tensor y = at::layer_norm(
        x[0], normalised, x[1].expand(normalised),
        x.size() > 2 && x[2].defined() ? x[2].expand(normalised) : at::Tensor(), epsilon);
    if (node.outputs.size() == 1) return {y};
    std::vector<int64_t> axes(normalised.size());
    std::iota(axes.begin(), axes.end(), axis);
    const auto [variance, mean] = at::var_mean(x[0], axes, /*unbiased=*/false, /*keepdim=*/true);
    return {y, mean, at::rsqrt(variance + epsilon)};
  }

  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (node.has_input(i)) labels.broadcast(node.inputs[i], node.outputs[0]);
    const int64_t rank = labels.rank(node.inputs[0]);
    const int64_t first = normal_axis(node, node.integer("axis", -1), rank);
    const std::string reason = fmt::format("normalised over ({})", describe(node));
    for (int64_t a = first; a < rank; ++a) labels.freeze(node.inputs[0], a, reason);
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      for (int64_t a = 0; a < first; ++a) labels.merge(node.inputs[0], a, node.outputs[i], a);
      for (int64_t a = first; a < rank; ++a) labels.freeze(node.outputs[i], a, reason);
    }
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no contraction
  bool learns(size_t i) const override { return i == 1 || i == 2; }
};

// GroupNormalization (ONNX 21): statistics per sample and group of neighbouring channels; scale and
// bias per channel.
// Couples  x[n g*k s], scale[g*k], bias[g*k] -> y[n g*k s], the k channels of a group as one unit
class GroupNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t each = channels_each(node, x[0].size(1));
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    return {
        at::group_norm(x[0], x[0].size(1) / each, x[1], x[2], node.real("epsilon", kOnnxEpsilon))};
  }

  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    for (int64_t a = 2; a < labels.rank(node.inputs[0]); ++a)
      labels.freeze(node.inputs[0], a, fmt::format("normalised over ({})", describe(node)));
    for (size_t i = 1; i < 3; ++i) labels.merge(node.inputs[i], 0, node.outputs[0], 1);
    const AxisLabels channels = labels.axis(node.inputs[0], 1);
    const int64_t each = channels_each(node, channels.extent);
    for (int64_t c = 0; c < channels.extent; ++c)
      labels.merge(channels[c], channels[c / each * each]);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const int64_t each = channels_each(node, shrinkage.extent(node.inputs[0], 1));
    node.attributes["num_groups"] =
        static_cast<int64_t>(shrinkage.kept(node.inputs[0], 1).size()) / each;
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no contraction
  bool learns(size_t i) const override { return i == 1 || i == 2; }

 private:
  static int64_t channels_each(const Node& node, int64_t channels) {
    const int64_t groups = node.integer("num_groups");
    if (groups < 1 || channels % groups != 0)
      throw InputError({.place = describe(node),
                        .expected = fmt::format("num_groups that divides {} channels", channels),
                        .found = fmt::format("{}", groups)});
    return channels / groups;
  }
};

/// Passes every axis on and freezes those that statistics are taken over.
void couple_normalised(const Node& node, Labels& labels, const std::vector<int64_t>& axes) {
  const std::string& x = node.inputs[0];
  labels.broadcast(x, node.outputs[0]);
  for (const int64_t axis : axes)
    labels.freeze(x, normal_axis(node, axis, labels.rank(x)),
                  fmt::format("normalised over ({})", describe(node)));
}

// LRN (ONNX 13): y = x / (bias + alpha / size * s)^beta, s the sum of the squares of the `size`
// channels around.
// Couples  x[n c s] -> y[n c s], c frozen
class LocalResponseNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t size = node.integer("size"), channels = x[0].size(1);
    if (size < 1)
      throw InputError({.place = describe(node),
                        .expected = "a size of at least 1",
                        .found = fmt::format("{}", size)});
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    std::vector<int64_t> pads(2 * static_cast<size_t>(x[0].dim() - 2), 0);
    pads.insert(pads.end(), {(size - 1) / 2, size / 2});
    const at::Tensor squares = at::constant_pad_nd(x[0] * x[0], pads);
    at::Tensor sum = at::zeros_like(x[0]);
    for (int64_t k = 0; k < size; ++k) sum = sum + squares.narrow(1, k, channels);
    const at::Tensor power =
        node.real("bias", 1) + sum * (node.real("alpha", 1e-4) / static_cast<double>(size));
    return {x[0] / at::pow(power, node.real("beta", 0.75))};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_normalised(node, labels, {1});
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
};

// LpNormalization (ONNX 1): y = x / |x|_p along `axis`, 0 where the norm is 0.
// Couples  x[.. d ..] -> y[.. d ..], d frozen
class LpNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const at::Tensor norm = at::linalg_vector_norm(x[0], node.integer("p", 2),
                                                   {node.integer("axis", -1)}, /*keepdim=*/true);
    return {x[0] / at::where(norm == 0, at::ones_like(norm), norm)};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_normalised(node, labels, {node.integer("axis", -1)});
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
};

// MeanVarianceNormalization (ONNX 13): y = (x - mean) / (deviation + 1e-9) over `axes`.
// Couples  x[i] -> y[i], `axes` frozen
class MeanVarianceNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const at::Tensor centred = x[0] - at::mean(x[0], axes(node), /*keepdim=*/true);
    const at::Tensor variance = at::mean(centred * centred, axes(node), /*keepdim=*/true);
    return {centred / (at::sqrt(variance) + kOnnxDeviation)};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_normalised(node, labels, axes(node));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter

 private:
  static constexpr double kOnnxDeviation = 1e-9;
  static std::vector<int64_t> axes(const Node& node) { return node.integers("axes", {0, 2, 3}); }
};

CRRM_REGISTER_OPERATOR(BatchNormalization);
CRRM_REGISTER_OPERATOR(GroupNormalization);
CRRM_REGISTER_OPERATOR(InstanceNormalization);
CRRM_REGISTER_OPERATOR(LayerNormalization);
CRRM_REGISTER_OPERATOR_AS(LocalResponseNormalization, LRN);
CRRM_REGISTER_OPERATOR(LpNormalization);
CRRM_REGISTER_OPERATOR(MeanVarianceNormalization);

}  // namespace

}  // namespace crrm
