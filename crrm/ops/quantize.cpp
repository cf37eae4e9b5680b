// Numbers on a grid of 8 bits: q = saturate(round(x / scale) + zero_point), x = (q - zero_point)
// scale.
#include "crrm/base/error.h"
#include "crrm/ops/axes.h"
#include "crrm/ops/element_type.h"

namespace crrm {

namespace {

/// A scale or zero point: one number, or one for each index of `axis`, shaped to broadcast.
at::Tensor along(const Node& node, const at::Tensor& value, const at::Tensor& x, int64_t axis) {
  if (value.numel() == 1) return value.reshape({});
  if (value.dim() != 1 || value.numel() != x.size(axis))
    throw InputError(
        {.place = describe(node),
         .expected = fmt::format("one number or {} of them", x.size(axis)),
         .found = fmt::format("a tensor of shape [{}]", fmt::join(value.sizes(), ", "))});
  Shape shape(static_cast<size_t>(x.dim()), 1);
  shape[static_cast<size_t>(axis)] = value.numel();
  return value.reshape(shape);
}

void refuse_blocks(const Node& node) {
  if (node.integer("block_size", 0) != 0)
    throw InputError({.place = describe(node),
                      .expected = "one scale, or one for each index of an axis",
                      .found = "scales of blocks"});
}

/// `value` on the grid of `type`.
at::Tensor saturate(const Node& node, const at::Tensor& value, at::ScalarType type) {
  if (type == at::kByte) return at::clamp(value, 0, 255).to(type);
  if (type == at::kChar) return at::clamp(value, -128, 127).to(type);
  throw InputError({.place = describe(node),
                    .expected = "a quantisation to uint8 or int8",
                    .found = c10::toString(type)});
}

int64_t axis_of(const Node& node, int64_t rank) {
  return rank < 2 ? 0 : normal_axis(node, node.integer("axis", 1), rank);
}

/// Passes every axis on; scales and zero points that are one for each index leave with it.
void couple_quantised(const Node& node, Labels& labels) {
  const std::string &x = node.inputs[0], &y = node.outputs[0];
  labels.broadcast(x, y);
  const int64_t axis = axis_of(node, labels.rank(y));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.has_input(i) || labels.rank(node.inputs[i]) == 0) continue;
    if (labels.extent(node.inputs[i], 0) == labels.extent(y, axis))
      labels.merge(node.inputs[i], 0, y, axis);
    else
      labels.freeze(node.inputs[i], fmt::format("one scale of an axis ({})", describe(node)));
  }
}

// QuantizeLinear (ONNX 21) to uint8 and int8, halves to even.
// Couples  x[i c], scale[c] or [], zero_point[c] or [] -> y[i c]
class QuantizeLinear final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    refuse_blocks(node);
    const bool shifted = x.size() > 2 && x[2].defined();
    at::ScalarType type = shifted ? x[2].scalar_type() : at::kByte;
    if (!shifted && node.integer("output_dtype", 0) != 0)
      type = element_type(node, node.integer("output_dtype"));
    if (x[0].is_meta()) return {at::empty(x[0].sizes(), x[0].options().dtype(type))};
    const int64_t axis = axis_of(node, x[0].dim());
    at::Tensor q = at::round(x[0] / along(node, x[1], x[0], axis));
    if (shifted) q = q + along(node, x[2], x[0], axis).to(q.scalar_type());
    return {saturate(node, q, type)};
  }
  void couple(const Node& node, Labels& labels) const override { couple_quantised(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
};

// DequantizeLinear (ONNX 21).
// Couples  x[i c], scale[c] or [], zero_point[c] or [] -> y[i c]
class DequantizeLinear final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    refuse_blocks(node);
    if (x[0].is_meta()) return {at::empty(x[0].sizes(), x[1].options())};
    const int64_t axis = axis_of(node, x[0].dim());
    const at::Tensor scale = along(node, x[1], x[0], axis);
    at::Tensor q = x[0].to(scale.scalar_type());
    if (x.size() > 2 && x[2].defined())
      q = q - along(node, x[2], x[0], axis).to(scale.scalar_type());
    return {q * scale};
  }
  void couple(const Node& node, Labels& labels) const override { couple_quantised(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
};

// DynamicQuantizeLinear (ONNX 11): to uint8 so that all of x and 0 fit in; gives scale and zero
// point. They depend on every element: everything is frozen.
class DynamicQuantizeLinear final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) {
      const at::TensorOptions bytes = x[0].options().dtype(at::kByte);
      return {at::empty(x[0].sizes(), bytes), at::empty({}, x[0].options()), at::empty({}, bytes)};
    }
    const at::Tensor least = at::clamp_max(x[0].min(), 0), most = at::clamp_min(x[0].max(), 0);
    const at::Tensor scale = (most - least) / 255;
    const at::Tensor zero = saturate(node, at::round(-least / scale), at::kByte);
    return {saturate(node, at::round(x[0] / scale) + zero, at::kByte), scale, zero};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("its range sets the scale ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
};

CRRM_REGISTER_OPERATOR(QuantizeLinear);
CRRM_REGISTER_OPERATOR(DequantizeLinear);
CRRM_REGISTER_OPERATOR(DynamicQuantizeLinear);

}  // namespace

}  // namespace crrm
