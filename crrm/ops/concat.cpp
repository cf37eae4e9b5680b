// Joining and splitting along an axis.
#include <numeric>

#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// Merges every axis of `part` with that of `whole`; on `axis` the part begins at `first`.
void couple_part(Labels& labels, const std::string& part, const std::string& whole, int64_t axis,
                 int64_t first) {
  for (int64_t a = 0; a < labels.rank(whole); ++a) {
    if (a != axis) {
      labels.merge(part, a, whole, a);
      continue;
    }
    const AxisLabels p = labels.axis(part, a), w = labels.axis(whole, a);
    for (int64_t i = 0; i < p.extent; ++i) labels.merge(p[i], w[first + i]);
  }
}

// Concat (ONNX 13): y = [x_0, x_1, ...] along `axis`; all other extents are equal.
// Couples  x0[n a h w], x1[n b h w] -> y[n a+b h w]   (axis = 1)
class Concat final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    return {at::cat(x, normal_axis(node, node.integer("axis"), x[0].dim()))};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string& y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis"), labels.rank(y));
    int64_t first = 0;  // first index of y filled by the current input
    for (const std::string& x : node.inputs) {
      couple_part(labels, x, y, axis, first);
      first += labels.extent(x, axis);
    }
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

/// Sizes of the parts: given, or as even as possible with the last one smaller (ONNX 18).
std::vector<int64_t> part_sizes(const Node& node, const at::Tensor& given, int64_t extent) {
  if (given.defined()) return to_integers(given);
  const int64_t parts = node.integer("num_outputs", static_cast<int64_t>(node.outputs.size()));
  const int64_t each = (extent + parts - 1) / parts;
  std::vector<int64_t> sizes;
  for (int64_t first = 0; first < extent; first += each)
    sizes.push_back(std::min(each, extent - first));
  return sizes;
}

// Split (ONNX 18): the inverse of Concat.
// Couples  x[n a+b h w] -> y0[n a h w], y1[n b h w]   (axis = 1)
class Split final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), x[0].dim());
    const at::Tensor given = x.size() > 1 ? x[1] : at::Tensor();
    return at::split_with_sizes(x[0], part_sizes(node, given, x[0].size(axis)), axis);
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string& x = node.inputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), labels.rank(x));
    const at::Tensor given = node.has_input(1) ? labels.content(node.inputs[1]) : at::Tensor();
    if (node.has_input(1) && !given.defined())
      return freeze_all(node, labels,
                        fmt::format("sizes known only at run time ({})", describe(node)));
    const std::vector<int64_t> sizes = part_sizes(node, given, labels.extent(x, axis));
    int64_t first = 0;
    for (size_t i = 0; i < node.outputs.size(); first += sizes[i++])
      if (!node.outputs[i].empty()) couple_part(labels, node.outputs[i], x, axis, first);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), shrinkage.rank(node.inputs[0]));
    if (!shrinkage.shrinks(node.inputs[0], axis)) return;
    const at::Tensor given =
        node.has_input(1) ? at::tensor(shrinkage.integers(node.inputs[1])) : at::Tensor();
    std::vector<int64_t> sizes = part_sizes(node, given, shrinkage.extent(node.inputs[0], axis));
    const std::vector<int64_t>& kept = shrinkage.kept(node.inputs[0], axis);
    int64_t first = 0;
    for (int64_t& size : sizes) {
      const int64_t end = first + size;
      size =
          std::count_if(kept.begin(), kept.end(), [&](int64_t i) { return first <= i && i < end; });
      first = end;
    }
    node.attributes.erase("num_outputs");
    shrinkage.set_input(node, 1, sizes);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

CRRM_REGISTER_OPERATOR(Concat);
CRRM_REGISTER_OPERATOR(Split);

}  // namespace

}  // namespace crrm
