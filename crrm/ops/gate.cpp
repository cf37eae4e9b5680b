// The gate: crrm's own operator, present only while a network is trained or masked.
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// Gate (domain crrm): y = x * z[:, units] along `axis`, the same for all other positions.
// x [N, .., C, ..]; z [N or 1, U + 1], the last column 1; units [C], int64 indices into z's
// columns; they shrink with the axis, so that a column means the same unit however small the
// network gets.
class Gate final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = node.integer("axis");
    Shape shape(static_cast<size_t>(x[0].dim()), 1);
    shape[0] = x[1].size(0);
    shape[static_cast<size_t>(axis)] = x[0].size(axis);
    return {x[0] * pick(x[1], 1, x[2]).view(shape)};
  }
  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    labels.merge(node.inputs[2], 0, node.outputs[0], node.integer("axis"));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // gone when deployed
};

const bool registered_gate = register_operator("crrm", "Gate", std::make_unique<Gate>());

}  // namespace

}  // namespace crrm
