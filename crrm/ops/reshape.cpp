// Operators that keep the elements and their order, and change the axes.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

std::vector<AxisLabels> axes_of(const Labels& labels, const std::string& value, int64_t first,
                                int64_t last) {
  std::vector<AxisLabels> axes;
  for (int64_t a = first; a < last; ++a) axes.push_back(labels.axis(value, a));
  return axes;
}

/// Row-major order lines the axes up in runs of equal product; a run passes through one flat axis.
void couple_reshape(Labels& labels, const std::string& x, const std::string& y) {
  const int64_t rank_x = labels.rank(x), rank_y = labels.rank(y);
  int64_t i = 0, j = 0;
  while (i < rank_x || j < rank_y) {
    const int64_t first_i = i, first_j = j;
    int64_t product_x = i < rank_x ? labels.extent(x, i++) : 1;
    int64_t product_y = j < rank_y ? labels.extent(y, j++) : 1;
    while (product_x != product_y) {
      if (product_x < product_y && i < rank_x)
        product_x *= labels.extent(x, i++);
      else if (product_y < product_x && j < rank_y)
        product_y *= labels.extent(y, j++);
      else
        throw InternalError("a reshape whose extents do not line up");
    }
    const std::vector<AxisLabels> from = axes_of(labels, x, first_i, i);
    const std::vector<AxisLabels> to = axes_of(labels, y, first_j, j);
    if (from.size() == 1 && to.size() == 1) {
      labels.merge(from[0], to[0]);
      continue;
    }
    const AxisLabels flat = from.size() == 1 ? from[0]
                            : to.size() == 1 ? to[0]
                                             : labels.hidden_axis(product_x);
    if (from.size() != 1) labels.factor(flat, from);
    if (to.size() != 1) labels.factor(flat, to);
  }
}

class KeepsElements : public Operator {
 public:
  void couple(const Node& node, Labels& labels) const override {
    couple_reshape(labels, node.inputs[0], node.outputs[0]);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
  bool keeps_elements() const override { return true; }
};

// Reshape (ONNX 21): target in input 1; 0 copies the extent (unless allowzero), -1 is inferred.
// Couples  x[n c h w] -> y[n c*h*w], each channel's label repeated h w times; and the other way
// round
class Reshape final : public KeepsElements {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    Shape target = to_integers(x[1]);
    if (node.integer("allowzero", 0) == 0)
      for (size_t a = 0; a < target.size(); ++a)
        if (target[a] == 0) target[a] = x[0].size(static_cast<int64_t>(a));
    return {x[0].reshape(target)};
  }

  void couple(const Node& node, Labels& labels) const override {
    if (!labels.is_constant(node.inputs[1]))
      return freeze_all(node, labels,
                        fmt::format("target shape computed at run time ({})", describe(node)));
    KeepsElements::couple(node, labels);
  }

  /// 0 (copied) or -1 (inferred) for the entries that follow the batch; none where more than one
  /// would have to be inferred.
  std::vector<int64_t> batch_free_target(const Node& node, const at::Tensor& a, const at::Tensor& b,
                                         const Shape& input_a,
                                         const Shape& input_b) const override {
    if (node.integer("allowzero", 0) != 0) return {};
    std::vector<int64_t> target;
    int64_t inferred = 0;
    for (int64_t i = 0; i < a.numel(); ++i) {
      const int64_t x = a[i].item<int64_t>(), y = b[i].item<int64_t>();
      const size_t axis = static_cast<size_t>(i);
      const bool copied = axis < input_a.size() && x == input_a[axis] && y == input_b[axis];
      target.push_back(x == y ? x : copied ? 0 : -1);
      inferred += target.back() == -1;
    }
    return inferred > 1 ? std::vector<int64_t>{} : target;
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    if (!shrinkage.is_constant(node.inputs[1])) return;
    const std::string& y = node.outputs[0];
    std::vector<int64_t> target = shrinkage.integers(node.inputs[1]);
    bool changes = false;
    for (size_t a = 0; a < target.size(); ++a) {
      if (!shrinkage.shrinks(y, static_cast<int64_t>(a)) || target[a] <= 0) continue;
      target[a] = static_cast<int64_t>(shrinkage.kept(y, static_cast<int64_t>(a)).size());
      changes = true;
    }
    if (changes) shrinkage.set_input(node, 1, target);
  }
};

// Flatten (ONNX 21): y is [product before axis, product from axis on].
class Flatten final : public KeepsElements {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    int64_t axis = node.integer("axis", 1);
    if (axis < 0) axis += x[0].dim();
    return {x[0].reshape({elements(x[0].sizes().slice(0, static_cast<size_t>(axis)).vec()),
                          elements(x[0].sizes().slice(static_cast<size_t>(axis)).vec())})};
  }
};

// Squeeze (ONNX 21): drops the axes of extent 1 in input 1, or all of them.
class Squeeze final : public KeepsElements {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const bool given = x.size() > 1 && x[1].defined();
    Shape shape;
    const std::vector<int64_t> axes = input_axes(node, x, 1, x[0].dim());
    for (int64_t a = 0; a < x[0].dim(); ++a) {
      const bool dropped =
          std::find(axes.begin(), axes.end(), a) != axes.end() && (given || x[0].size(a) == 1);
      if (dropped && x[0].size(a) != 1)
        throw InputError({.place = describe(node),
                          .expected = fmt::format("extent 1 of axis {}", a),
                          .found = fmt::format("{}", x[0].size(a))});
      if (!dropped) shape.push_back(x[0].size(a));
    }
    return {x[0].reshape(shape)};
  }
};

// Unsqueeze (ONNX 21): inserts axes of extent 1 at the places in input 1, counted in the result.
class Unsqueeze final : public KeepsElements {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    at::Tensor y = x[0];
    const int64_t rank = x[0].dim() + x[1].numel();
    for (const int64_t axis : input_axes(node, x, 1, rank)) y = y.unsqueeze(axis);
    return {y};
  }
};

// Transpose (ONNX 21): y's axis a is x's axis perm[a].
// Couples  x[a b c] -> y[c a b] (perm = 2 0 1)
class Transpose final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    return {x[0].permute(permutation(node, x[0].dim()))};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::vector<int64_t> perm = permutation(node, labels.rank(node.inputs[0]));
    for (size_t a = 0; a < perm.size(); ++a)
      labels.merge(node.inputs[0], perm[a], node.outputs[0], static_cast<int64_t>(a));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only

 private:
  static std::vector<int64_t> permutation(const Node& node, int64_t rank) {
    std::vector<int64_t> reversed;
    for (int64_t a = rank; a-- > 0;) reversed.push_back(a);
    return node.integers("perm", reversed);
  }
};

CRRM_REGISTER_OPERATOR(Reshape);
CRRM_REGISTER_OPERATOR(Flatten);
CRRM_REGISTER_OPERATOR(Squeeze);
CRRM_REGISTER_OPERATOR(Unsqueeze);
CRRM_REGISTER_OPERATOR(Transpose);

}  // namespace

}  // namespace crrm
