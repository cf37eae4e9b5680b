// Convolutions over any number of spatial axes.
#include <set>

#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

struct Window {
  std::vector<int64_t> strides, dilations, pads;  // pads: begin..., end...
  bool symmetric = true;
};

Window window(const Node& node, const at::Tensor& x, const at::Tensor& weight) {
  const size_t spatial = static_cast<size_t>(weight.dim()) - 2;
  Window w;
  w.strides = node.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = node.integers("dilations", std::vector<int64_t>(spatial, 1));
  w.pads =
      spatial_pads(node, x.sizes().vec(), weight.sizes().slice(2).vec(), w.strides, w.dilations);
  for (size_t d = 0; d < spatial; ++d) w.symmetric &= w.pads[d] == w.pads[spatial + d];
  return w;
}

/// at::constant_pad_nd's order: last axis first, begin and end.
std::vector<int64_t> reversed_pads(const std::vector<int64_t>& pads) {
  std::vector<int64_t> result;
  const size_t spatial = pads.size() / 2;
  for (size_t d = spatial; d-- > 0;) {
    result.push_back(pads[d]);
    result.push_back(pads[spatial + d]);
  }
  return result;
}

/// at::convolution; its meta kernel exists in Python alone, so meta tensors get their extents here:
///   (i + 2 p - d (k - 1) - 1) / s + 1,   transposed: (i - 1) s - 2 p + d (k - 1) + extra + 1
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    at::IntArrayRef strides, at::IntArrayRef pads, at::IntArrayRef dilations,
                    bool transposed, at::IntArrayRef extra, int64_t groups) {
  if (!x.is_meta())
    return at::convolution(x, weight, bias, strides, pads, dilations, transposed, extra, groups);
  if (x.dim() != weight.dim() ||
      x.size(1) != weight.size(transposed ? 0 : 1) * (transposed ? 1 : groups))
    C10_THROW_ERROR(ValueError, "the channels of input and weight do not fit");
  Shape shape{x.size(0), transposed ? weight.size(1) * groups : weight.size(0)};
  for (size_t d = 0; d < strides.size(); ++d) {
    const int64_t in = x.size(static_cast<int64_t>(d) + 2);
    const int64_t reach = dilations[d] * (weight.size(static_cast<int64_t>(d) + 2) - 1);
    shape.push_back(transposed ? (in - 1) * strides[d] - 2 * pads[d] + reach + extra[d] + 1
                               : (in + 2 * pads[d] - reach - 1) / strides[d] + 1);
  }
  return at::empty(shape, x.options());
}

void freeze_positions(const Node& node, Labels& labels, const std::string& value, int64_t first) {
  for (int64_t a = first; a < labels.rank(value); ++a)
    labels.freeze(value, a, fmt::format("positions, not channels ({})", describe(node)),
                  Frozen::position);
}

/// As many groups as have inputs left: fewer only where groups go as a whole.
void shrink_groups(Node& node, const Shrinkage& shrinkage) {
  const int64_t groups = node.integer("group", 1);
  const int64_t each = shrinkage.extent(node.inputs[0], 1) / groups;
  std::set<int64_t> left;
  for (const int64_t input : shrinkage.kept(node.inputs[0], 1)) left.insert(input / each);
  if (groups > 1) node.attributes["group"] = static_cast<int64_t>(left.size());
}

/// The bias, [1, O, 1, ...]; zeros where there is none.
at::Tensor bias_alone(const Node& node, const Tensors& x, const Shape& output) {
  Shape shape(output.size(), 1);
  shape[1] = output[1];
  if (!node.has_input(2)) return x[1].defined() ? at::zeros(shape, x[1].options()) : at::Tensor();
  return x[2].defined() ? x[2].view(shape) : at::Tensor();
}

// Conv (ONNX 11): y = x * W + b. `group` blocks of channels do not see each other.
// Couples  x[n i s], W[o i k] -> y[n o s']  (1 group)
//          x[n (g i) s], W[(g o) i k] -> y[n (g o) s']  (g groups; i = 1: depthwise)
class Conv final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0], x[1]);
    const size_t spatial = w.pads.size() / 2;
    const at::Tensor bias = x.size() > 2 ? x[2] : at::Tensor();
    const int64_t groups = node.integer("group", 1);
    if (w.symmetric)
      return {convolve(x[0], x[1], bias, w.strides, {w.pads.data(), spatial}, w.dilations,
                       /*transposed=*/false, std::vector<int64_t>(spatial, 0), groups)};
    const at::Tensor padded = at::constant_pad_nd(x[0], reversed_pads(w.pads));
    const std::vector<int64_t> none(spatial, 0);
    return {convolve(padded, x[1], bias, w.strides, none, w.dilations, false, none, groups)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &weight = node.inputs[1], &y = node.outputs[0];
    labels.merge(x, 0, y, 0);
    labels.merge(weight, 0, y, 1);
    if (node.has_input(2)) labels.merge(node.inputs[2], 0, y, 1);
    freeze_positions(node, labels, x, 2);
    freeze_positions(node, labels, y, 2);
    freeze_positions(node, labels, weight, 2);
    const int64_t groups = node.integer("group", 1);
    if (groups == 1)
      labels.contract(node, 0, 1, 1, 1);
    else
      labels.contract_by_blocks(node, labels.axis(x, 1), groups);
  }

  int64_t macs(const Node&, const NodeShapes& shapes) const override {
    const Shape& weight = shapes.inputs[1];
    return weight[0] == 0 ? 0 : elements(shapes.outputs[0]) * (elements(weight) / weight[0]);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override { shrink_groups(node, shrinkage); }
  bool learns(size_t i) const override { return i == 1 || i == 2; }
  at::Tensor at_zero(const Node& node, const Tensors& x, const Shape& output) const override {
    return bias_alone(node, x, output);
  }
};

// ConvTranspose (ONNX 11): the gradient of Conv; its weight is [inputs, outputs / group, k].
// Couples  x[n i s], W[i o k] -> y[n o s']
class ConvTranspose final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const size_t spatial = static_cast<size_t>(x[1].dim()) - 2;
    const std::vector<int64_t> ones(spatial, 1), zeros(spatial, 0);
    const std::vector<int64_t> strides = node.integers("strides", ones);
    const std::vector<int64_t> dilations = node.integers("dilations", ones);
    std::vector<int64_t> extra = node.integers("output_padding", zeros);
    const std::vector<int64_t> pads = padding(node, x, strides, dilations, extra);
    const at::Tensor bias = x.size() > 2 ? x[2] : at::Tensor();
    // Uneven padding: compute with none, then crop.
    const bool even = std::equal(pads.begin(), pads.begin() + spatial, pads.begin() + spatial);
    at::Tensor y = convolve(x[0], x[1], bias, strides,
                            even ? at::IntArrayRef(pads.data(), spatial) : zeros, dilations,
                            /*transposed=*/true, extra, node.integer("group", 1));
    if (!even)
      for (size_t d = 0; d < spatial; ++d) {
        const int64_t axis = static_cast<int64_t>(d) + 2;
        y = y.narrow(axis, pads[d], y.size(axis) - pads[d] - pads[spatial + d]);
      }
    return {y};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &weight = node.inputs[1], &y = node.outputs[0];
    labels.merge(x, 0, y, 0);
    freeze_positions(node, labels, x, 2);
    freeze_positions(node, labels, y, 2);
    freeze_positions(node, labels, weight, 2);
    if (node.has_input(2)) labels.merge(node.inputs[2], 0, y, 1);
    const int64_t groups = node.integer("group", 1);
    if (groups == 1) {
      labels.merge(weight, 1, y, 1);
      labels.contract(node, 0, 1, 1, 0);
    } else {
      labels.merge(weight, 0, x, 1);
      labels.contract_by_blocks(node, labels.axis(y, 1), groups);
    }
  }

  int64_t macs(const Node&, const NodeShapes& shapes) const override {
    const Shape& weight = shapes.inputs[1];
    return weight[0] == 0 ? 0 : elements(shapes.inputs[0]) * (elements(weight) / weight[0]);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override { shrink_groups(node, shrinkage); }
  bool learns(size_t i) const override { return i == 1 || i == 2; }
  at::Tensor at_zero(const Node& node, const Tensors& x, const Shape& output) const override {
    return bias_alone(node, x, output);
  }

 private:
  static std::vector<int64_t> padding(const Node& node, const Tensors& x,
                                      const std::vector<int64_t>& strides,
                                      const std::vector<int64_t>& dilations,
                                      std::vector<int64_t>& extra) {
    const size_t spatial = strides.size();
    std::vector<int64_t> pads = node.integers("pads", std::vector<int64_t>(2 * spatial, 0));
    const std::string mode = node.text("auto_pad", "NOTSET");
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    if (!same && !node.has("output_shape")) return pads;
    for (size_t d = 0; d < spatial; ++d) {  // total = stride (i - 1) + extra + reach - output
      const int64_t in = x[0].size(static_cast<int64_t>(d) + 2);
      const int64_t reach = (x[1].size(static_cast<int64_t>(d) + 2) - 1) * dilations[d] + 1;
      const std::vector<int64_t> wanted = node.integers("output_shape", {});
      const int64_t out = wanted.empty() ? in * strides[d] : wanted[wanted.size() - spatial + d];
      const int64_t total = strides[d] * (in - 1) + extra[d] + reach - out;
      if (total < 0) extra[d] -= total;
      const int64_t cut = std::max<int64_t>(total, 0);
      pads[d] = mode == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      pads[spatial + d] = cut - pads[d];
    }
    return pads;
  }
};

CRRM_REGISTER_OPERATOR(Conv);
CRRM_REGISTER_OPERATOR(ConvTranspose);

}  // namespace

}  // namespace crrm
