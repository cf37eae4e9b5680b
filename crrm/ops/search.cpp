// Operators that search: for the largest elements of an axis, which stays whole, or for elements
// anywhere, so that nothing can be coupled.
#include "crrm/base/error.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

std::string searched(const Node& node) {
  return fmt::format("searched along ({})", describe(node));
}

// ArgMax, ArgMin (ONNX 13): the first (or with select_last_index the last) place of the extreme
// along `axis`.
// Couples  x[i r] -> y[i] or y[i 1], r frozen
class ArgExtreme final : public Operator {
 public:
  using Function = at::Tensor (*)(const at::Tensor&, std::optional<int64_t>, bool);
  explicit ArgExtreme(Function function) : function_(function) {}

  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), x[0].dim());
    const bool keep = node.integer("keepdims", 1) != 0;
    if (x[0].is_meta()) {
      Shape shape = x[0].sizes().vec();
      shape[static_cast<size_t>(axis)] = 1;
      if (!keep) shape.erase(shape.begin() + axis);
      return {at::empty(shape, x[0].options().dtype(at::kLong))};
    }
    if (node.integer("select_last_index", 0) == 0) return {function_(x[0], axis, keep)};
    return {x[0].size(axis) - 1 - function_(x[0].flip(axis), axis, keep)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), labels.rank(x));
    const bool keep = node.integer("keepdims", 1) != 0;
    for (int64_t a = 0; a < labels.rank(x); ++a)
      if (a != axis) labels.merge(x, a, y, a > axis && !keep ? a - 1 : a);
    labels.freeze(x, axis, searched(node));
    if (keep) labels.freeze(y, axis, searched(node));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only

 private:
  Function function_;
};

// TopK (ONNX 11): the k largest (or smallest) elements along `axis`, of equal ones the first, in
// order, and their places.
// Couples  x[i r] -> values[i k], indices[i k], r and k frozen
class TopK final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim());
    const int64_t k = to_integers(x[1]).at(0);
    if (k < 0 || k > x[0].size(axis))
      throw InputError({.place = describe(node),
                        .expected = fmt::format("k from 0 to {}", x[0].size(axis)),
                        .found = fmt::format("{}", k)});
    if (x[0].is_meta()) {
      Shape shape = x[0].sizes().vec();
      shape[static_cast<size_t>(axis)] = k;
      return {at::empty(shape, x[0].options()), at::empty(shape, x[0].options().dtype(at::kLong))};
    }
    const auto [values, places] =
        at::sort(x[0], /*stable=*/true, axis, /*descending=*/node.integer("largest", 1) != 0);
    return {values.narrow(axis, 0, k), places.narrow(axis, 0, k)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string& x = node.inputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", -1), labels.rank(x));
    labels.freeze(x, axis, searched(node));
    for (const std::string& y : node.outputs) {
      if (y.empty()) continue;
      for (int64_t a = 0; a < labels.rank(x); ++a)
        if (a != axis) labels.merge(x, a, y, a);
      labels.freeze(y, axis, searched(node));
    }
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

class SearchesEverything : public Operator {
 public:
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("all elements are searched ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only
  bool shape_depends_on_value(size_t) const override { return true; }
};

// NonZero (ONNX 13): the indices of the elements that are not 0, [axes of x, number].
class NonZero final : public SearchesEverything {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    return {at::nonzero(x[0]).t()};
  }
};

// Unique (ONNX 11): the distinct elements, or slices along `axis`, sorted or in order of
// appearance; for each of them its first place; for each of x's the place of its like; how many of
// each.
class Unique final : public SearchesEverything {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const bool slices = node.has("axis");
    const int64_t axis = slices ? normal_axis(node, node.integer("axis"), x[0].dim()) : 0;
    const at::Tensor all = slices ? x[0] : x[0].flatten();
    auto [values, inverse, counts] =
        at::unique_dim(all, axis, /*sorted=*/true, /*return_inverse=*/true, /*return_counts=*/true);
    at::Tensor first =
        at::full_like(counts, all.size(axis))
            .scatter_reduce(0, inverse, at::arange(inverse.numel(), inverse.options()), "amin");
    if (node.integer("sorted", 1) == 0) {
      const at::Tensor order = first.argsort();
      values = values.index_select(axis, order);
      first = first.index_select(0, order);
      counts = counts.index_select(0, order);
      inverse = order.argsort().index_select(0, inverse);
    }
    return {values, first, inverse, counts};
  }
};

CRRM_REGISTER_OPERATOR_AS(ArgExtreme, ArgMax, at::argmax);
CRRM_REGISTER_OPERATOR_AS(ArgExtreme, ArgMin, at::argmin);
CRRM_REGISTER_OPERATOR(NonZero);
CRRM_REGISTER_OPERATOR(TopK);
CRRM_REGISTER_OPERATOR(Unique);

}  // namespace

}  // namespace crrm
