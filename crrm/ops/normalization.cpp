// Normalisations.
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

constexpr double kOnnxEpsilon = 1e-5;  // ONNX's default for all of them

// BatchNormalization (ONNX 15): y = (x - mean) / sqrt(var + epsilon) * scale + bias per channel;
// ONNX's momentum weighs the old statistics, ATen's the new.
// Couples  x[n c s], scale[c], bias[c], mean[c], var[c] -> y[n c s]
class BatchNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool training) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
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
// Couples  x[.. d], scale[d], bias[d] -> y[.. d], d frozen
class LayerNormalization final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim());
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    const at::IntArrayRef normalised = x[0].sizes().slice(static_cast<size_t>(axis));
    return {at::layer_norm(x[0], normalised, x[1].expand(normalised),
                           x.size() > 2 && x[2].defined() ? x[2].expand(normalised) : at::Tensor(),
                           node.real("epsilon", kOnnxEpsilon))};
  }

  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (node.has_input(i)) labels.broadcast(node.inputs[i], node.outputs[0]);
    const int64_t rank = labels.rank(node.inputs[0]);
    for (int64_t a = normal_axis(node, node.integer("axis", -1), rank); a < rank; ++a)
      labels.freeze(node.inputs[0], a, fmt::format("normalised over ({})", describe(node)));
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no contraction
  bool learns(size_t i) const override { return i == 1 || i == 2; }
};

CRRM_REGISTER_OPERATOR(BatchNormalization);
CRRM_REGISTER_OPERATOR(InstanceNormalization);
CRRM_REGISTER_OPERATOR(LayerNormalization);

}  // namespace

}  // namespace crrm
