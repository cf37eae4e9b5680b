// Shape arithmetic and constants made from shapes.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"
#include "crrm/ops/element_type.h"

namespace crrm {

namespace {

// Shape (ONNX 21): extents of the axes from `start` to `end`, as integers. Its result follows the
// smaller network's own extents.
class ShapeOf final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t rank = x[0].dim();
    const auto clamp = [&](int64_t axis) {
      return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
    };
    const int64_t start = clamp(node.integer("start", 0)), end = clamp(node.integer("end", rank));
    std::vector<int64_t> extents;
    for (int64_t a = start; a < end; ++a) extents.push_back(x[0].size(a));
    return {at::tensor(extents, at::kLong)};
  }
  void couple(const Node& node, Labels& labels) const override {
    labels.freeze(node.outputs[0], "extents, not channels");
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // reads no data
};

// Size (ONNX 21): the number of elements. Computed at run time it would follow the smaller
// network's extents and change what is divided by it: every axis of x is frozen.
class Size final : public Operator {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    return {at::scalar_tensor(x[0].numel(), at::kLong)};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("its elements are counted ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // reads no data
};

// EyeLike (ONNX 9): ones on the k-th diagonal of a matrix of x's extents. Which index meets which
// follows from their positions: both axes are frozen.
class EyeLike final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const at::ScalarType type =
        node.has("dtype") ? element_type(node, node.integer("dtype")) : x[0].scalar_type();
    const at::TensorOptions options = x[0].options().dtype(type).requires_grad(false);
    if (x[0].is_meta()) return {at::empty(x[0].sizes(), options)};
    const at::Tensor row = at::arange(x[0].size(0), at::kLong).unsqueeze(1);
    const at::Tensor column = at::arange(x[0].size(1), at::kLong);
    return {(column - row == node.integer("k", 0)).to(options)};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("a diagonal, by position ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // fills only
};

// ConstantOfShape (ONNX 21): the one element of `value` everywhere.
class ConstantOfShape final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const at::Tensor value = node.has("value") ? node.tensor("value") : at::zeros({1});
    return {value.flatten()[0].expand(to_integers(x[0])).contiguous()};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("extents computed at run time ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // fills only
  bool shape_depends_on_value(size_t) const override { return true; }
};

// Expand (ONNX 13): NumPy's broadcast to the shape in input 1.
// Couples  x[n c 1] -> y[n c t]
class Expand final : public Operator {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    const Shape target = to_integers(x[1]);
    const int64_t rank = std::max<int64_t>(x[0].dim(), static_cast<int64_t>(target.size()));
    Shape shape(static_cast<size_t>(rank), 1);
    std::copy_backward(target.begin(), target.end(), shape.end());
    for (int64_t i = 1; i <= x[0].dim(); ++i)
      if (x[0].size(-i) != 1) shape[static_cast<size_t>(rank - i)] = x[0].size(-i);
    return {x[0].expand(shape)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    const bool fixed = labels.is_constant(node.inputs[1]);
    if (!fixed) labels.freeze(y, fmt::format("extents computed at run time ({})", describe(node)));
    const int64_t shift = labels.rank(y) - labels.rank(x);
    for (int64_t a = 0; a < labels.rank(y); ++a)
      if (a < shift || labels.extent(x, a - shift) != labels.extent(y, a))
        labels.freeze(y, a, fmt::format("copies of one index ({})", describe(node)));
    labels.broadcast(x, y);
  }
  /// 1 (as the input has it) for the entries that follow the batch; none where it is stretched.
  std::vector<int64_t> batch_free_target(const Node&, const at::Tensor& a, const at::Tensor& b,
                                         const Shape& input_a,
                                         const Shape& input_b) const override {
    std::vector<int64_t> target;
    const int64_t shift = a.numel() - static_cast<int64_t>(input_a.size());
    for (int64_t i = 0; i < a.numel(); ++i) {
      const int64_t x = a[i].item<int64_t>(), y = b[i].item<int64_t>();
      const size_t axis = static_cast<size_t>(std::max<int64_t>(i - shift, 0));
      const bool own = i >= shift && x == input_a[axis] && y == input_b[axis];
      if (x != y && !own) return {};
      target.push_back(x == y ? x : 1);
    }
    return target;
  }
  void shrink(Node& node, Shrinkage& shrinkage) const override {
    if (!shrinkage.is_constant(node.inputs[1])) return;
    const std::string& y = node.outputs[0];
    std::vector<int64_t> target = shrinkage.integers(node.inputs[1]);
    const int64_t shift = shrinkage.rank(y) - static_cast<int64_t>(target.size());
    bool changes = false;
    for (size_t a = 0; a < target.size(); ++a) {
      const int64_t axis = static_cast<int64_t>(a) + shift;
      if (target[a] == 1 || !shrinkage.shrinks(y, axis)) continue;
      target[a] = static_cast<int64_t>(shrinkage.kept(y, axis).size());
      changes = true;
    }
    if (changes) shrinkage.set_input(node, 1, target);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

// Range (ONNX 11): start, start + delta, ... below limit.
class Range final : public Operator {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    return {at::arange(x[0].item(), x[1].item(), x[2].item(), x[0].options())};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("counted at run time ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // counts only
  bool shape_depends_on_value(size_t) const override { return true; }
};

CRRM_REGISTER_OPERATOR_AS(ShapeOf, Shape);
CRRM_REGISTER_OPERATOR(ConstantOfShape);
CRRM_REGISTER_OPERATOR(Expand);
CRRM_REGISTER_OPERATOR(EyeLike);
CRRM_REGISTER_OPERATOR(Range);
CRRM_REGISTER_OPERATOR(Size);

}  // namespace

}  // namespace crrm
