// Reductions and other operators that mix the indices of an axis without a parameter.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// ReduceMean, ReduceSum, ... (ONNX 18): over the axes in input 1; all of them when it is absent,
// none if noop_with_empty_axes says so.
// A sum of terms is a contraction with ones: a unit that is multiplied by zero adds nothing to it,
// so its term can go. A mean becomes a sum over the divisor of the whole axis.
// Couples  x[i r] -> y[i] or y[i 1]; r is read by sums and means, and frozen else
class Reduce final : public Operator {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&, at::IntArrayRef, bool keepdims)>;
  enum class Kind { sum, mean, other };
  Reduce(Kind kind, Function function) : kind_(kind), function_(std::move(function)) {}

  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (is_noop(node, x.size() > 1 ? x[1] : at::Tensor())) return {x[0]};
    const std::vector<int64_t> axes = input_axes(node, x, 1, x[0].dim());
    const bool keep = node.integer("keepdims", 1) != 0;
    // All reductions have the extents of a sum, which has a meta kernel in C++.
    return {x[0].is_meta() ? at::sum(x[0], axes, keep, x[0].scalar_type())
                           : function_(x[0], axes, keep)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    std::vector<int64_t> axes;
    if (!label_axes(node, labels, 1, labels.rank(x), axes))
      return freeze_all(node, labels,
                        fmt::format("axes known only at run time ({})", describe(node)));
    if (is_noop(node, node.has_input(1) ? labels.content(node.inputs[1]) : at::Tensor()))
      axes.clear();
    const bool keep = node.integer("keepdims", 1) != 0;
    int64_t to = 0;
    for (int64_t a = 0; a < labels.rank(x); ++a) {
      const bool reduced = std::find(axes.begin(), axes.end(), a) != axes.end();
      if (!reduced) labels.merge(x, a, y, to);
      if (reduced && kind_ == Kind::other)
        labels.freeze(x, a, fmt::format("reduced over ({})", describe(node)));
      if (reduced && kind_ != Kind::other) labels.sum(node, 0, a);
      if (reduced && keep) labels.freeze(y, to, fmt::format("reduced over ({})", describe(node)));
      to += !reduced || keep;
    }
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    if (kind_ != Kind::mean || (node.has_input(1) && !shrinkage.is_constant(node.inputs[1])))
      return;
    const std::string& x = node.inputs[0];
    const at::Tensor given = node.has_input(1)
                                 ? at::tensor(shrinkage.integers(node.inputs[1]), at::kLong)
                                 : at::Tensor();
    if (is_noop(node, given)) return;
    int64_t divisor = 1, kept = 1;
    for (const int64_t axis : input_axes(node, {{}, given}, 1, shrinkage.rank(x))) {
      divisor *= shrinkage.extent(x, axis);
      kept *= static_cast<int64_t>(shrinkage.kept(x, axis).size());
    }
    if (kept == divisor) return;
    // A sum and a division by an integer: a factor such as 2/3 would be rounded to float32.
    node.op = "ReduceSum";
    Node scale{.op = "Div",
               .name = node.name + ".divisor",
               .domain = "",
               .inputs = {"", ""},
               .outputs = {},
               .attributes = {}};
    shrinkage.set_input(scale, 1, at::tensor(static_cast<double>(divisor), at::kFloat));
    shrinkage.append(node, std::move(scale));
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
  bool shape_depends_on_value(size_t i) const override { return i == 1; }

 private:
  static bool is_noop(const Node& node, const at::Tensor& axes) {
    return node.integer("noop_with_empty_axes", 0) != 0 && (!axes.defined() || axes.numel() == 0);
  }
  Kind kind_;
  Function function_;
};

// Softmax, LogSoftmax (ONNX 13): over `axis`, which stays whole.
class Softmax final : public Operator {
 public:
  explicit Softmax(bool logarithm) : logarithm_(logarithm) {}
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim());
    return {logarithm_ ? at::log_softmax(x[0], axis) : at::softmax(x[0], axis)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), labels.rank(node.inputs[0]));
    labels.broadcast(node.inputs[0], node.outputs[0]);
    labels.freeze(node.inputs[0], axis, fmt::format("normalised over ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter

 private:
  bool logarithm_;
};

// Hardmax (ONNX 13): 1 at the first maximum along `axis`, which stays whole, 0 elsewhere.
class Hardmax final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim());
    return {at::scatter(at::zeros_like(x[0]), axis, x[0].argmax(axis, /*keepdim=*/true), 1)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), labels.rank(node.inputs[0]));
    labels.broadcast(node.inputs[0], node.outputs[0]);
    labels.freeze(node.inputs[0], axis, fmt::format("searched along ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only
};

// CumSum (ONNX 14): over the axis in input 1, which stays whole.
class CumSum final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, to_integers(x[1]).at(0), x[0].dim());
    if (x[0].is_meta()) return {at::empty_like(x[0])};  // no meta kernel in C++
    const bool reverse = node.integer("reverse", 0) != 0;
    const at::Tensor in = reverse ? x[0].flip(axis) : x[0];
    at::Tensor sums = at::cumsum(in, axis);
    if (node.integer("exclusive", 0) != 0) sums = sums - in;
    return {reverse ? sums.flip(axis) : sums};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string reason = fmt::format("summed along ({})", describe(node));
    const at::Tensor axis = labels.content(node.inputs[1]);
    if (!axis.defined()) return freeze_all(node, labels, reason);
    labels.broadcast(node.inputs[0], node.outputs[0]);
    const int64_t rank = labels.rank(node.inputs[0]);
    labels.freeze(node.inputs[0], normal_axis(node, to_integers(axis).at(0), rank), reason);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

at::Tensor product(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  at::Tensor result = x;
  for (size_t i = axes.size(); i-- > 0;) result = at::prod(result, axes[i], keep);
  return result;
}

using T = const at::Tensor&;
using A = at::IntArrayRef;

#define CRRM_REDUCE(op, kind, expression)                   \
  CRRM_REGISTER_OPERATOR_AS(Reduce, op, Reduce::Kind::kind, \
                            [](T x, A axes, bool keep) -> at::Tensor { return expression; })

CRRM_REDUCE(ReduceMean, mean, at::mean(x, axes, keep));
CRRM_REDUCE(ReduceSum, sum, at::sum(x, axes, keep));
CRRM_REDUCE(ReduceMax, other, at::amax(x, axes, keep));
CRRM_REDUCE(ReduceMin, other, at::amin(x, axes, keep));
CRRM_REDUCE(ReduceProd, other, product(x, axes, keep));
CRRM_REDUCE(ReduceL1, sum, at::sum(at::abs(x), axes, keep));
CRRM_REDUCE(ReduceL2, sum, at::sqrt(at::sum(x* x, axes, keep)));
CRRM_REDUCE(ReduceSumSquare, sum, at::sum(x* x, axes, keep));
CRRM_REDUCE(ReduceLogSum, sum, at::log(at::sum(x, axes, keep)));
CRRM_REDUCE(ReduceLogSumExp, other, at::logsumexp(x, axes, keep));
CRRM_REGISTER_OPERATOR_AS(Softmax, Softmax, false);
CRRM_REGISTER_OPERATOR_AS(Softmax, LogSoftmax, true);
CRRM_REGISTER_OPERATOR(CumSum);
CRRM_REGISTER_OPERATOR(Hardmax);

}  // namespace

}  // namespace crrm
