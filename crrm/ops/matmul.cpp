// Matrix products.
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// Gemm (ONNX 13): y = alpha A' B' + beta C, with A' = A or its transpose.
// Couples  a[m k], b[k n] -> y[m n]
class Gemm final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const at::Tensor a = node.integer("transA", 0) != 0 ? x[0].t() : x[0];  // [M, K]
    const at::Tensor b = node.integer("transB", 0) != 0 ? x[1].t() : x[1];  // [K, N]
    const double alpha = node.real("alpha", 1), beta = node.real("beta", 1);
    if (x.size() < 3 || !x[2].defined()) return {alpha == 1 ? at::mm(a, b) : at::mm(a, b) * alpha};
    return {at::addmm(x[2], a, b, beta, alpha)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const int64_t a = node.integer("transA", 0), b = node.integer("transB", 0);
    labels.merge(node.inputs[0], a, node.outputs[0], 0);
    labels.merge(node.inputs[1], 1 - b, node.outputs[0], 1);
    if (node.has_input(2)) labels.broadcast(node.inputs[2], node.outputs[0]);
    labels.contract(node, 0, 1 - a, 1, b);
  }

  int64_t macs(const Node& node, const NodeShapes& shapes) const override {
    return elements(shapes.outputs[0]) * shapes.inputs[0][node.integer("transA", 0) != 0 ? 0 : 1];
  }
  bool learns(size_t i) const override { return i == 1 || i == 2; }
  /// beta C, [1 or M, N]
  at::Tensor at_zero(const Node& node, const Tensors& x, const Shape& output) const override {
    const int64_t columns = output[1];
    if (!node.has_input(2))
      return x[1].defined() ? at::zeros({1, columns}, x[1].options()) : at::Tensor();
    if (!x[2].defined()) return {};
    const int64_t rows = x[2].dim() == 2 ? x[2].size(0) : 1;
    return x[2].expand({rows, columns}) * node.real("beta", 1);
  }
};

// MatMul (ONNX 13): NumPy's product of the last two axes, batched over those before.
// Couples  a[.. m k], b[.. k n] -> y[.. m n]
class MatMul final : public Operator {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    return {at::matmul(x[0], x[1])};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &a = node.inputs[0], &b = node.inputs[1], &y = node.outputs[0];
    const int64_t rank_a = labels.rank(a), rank_b = labels.rank(b), rank_y = labels.rank(y);
    const int64_t columns = rank_b > 1 ? 1 : 0;  // axes of y that b's columns take
    if (rank_a > 1) labels.merge(a, rank_a - 2, y, rank_y - 1 - columns);
    if (rank_b > 1) labels.merge(b, rank_b - 1, y, rank_y - 1);
    const int64_t batch_end = rank_y - columns - (rank_a > 1 ? 1 : 0);
    couple_batch(labels, a, rank_a - 2, y, batch_end);
    couple_batch(labels, b, rank_b - 2, y, batch_end);
    labels.contract(node, 0, rank_a - 1, 1, rank_b > 1 ? rank_b - 2 : 0);
  }

  int64_t macs(const Node&, const NodeShapes& shapes) const override {
    return elements(shapes.outputs[0]) * shapes.inputs[0].back();
  }
  bool learns(size_t) const override { return true; }
  /// Zeros, [1, .., 1, N], where the second is a weight [.., K, N]
  at::Tensor at_zero(const Node&, const Tensors& x, const Shape& output) const override {
    if (!x[1].defined() || x[1].dim() < 2) return {};
    Shape shape(output.size(), 1);
    shape.back() = output.back();
    return at::zeros(shape, x[1].options());
  }

 private:
  /// The first `count` axes of `from`, aligned at the end of the first `end` axes of `to`.
  static void couple_batch(Labels& labels, const std::string& from, int64_t count,
                           const std::string& to, int64_t end) {
    for (int64_t i = 1; i <= count; ++i) {
      const int64_t axis = count - i;
      if (labels.extent(from, axis) == labels.extent(to, end - i))
        labels.merge(from, axis, to, end - i);
      else
        labels.freeze(from, axis, "one index that is stretched over an axis");
    }
  }
};

CRRM_REGISTER_OPERATOR(Gemm);
CRRM_REGISTER_OPERATOR(MatMul);

}  // namespace

}  // namespace crrm
