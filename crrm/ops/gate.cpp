// Gates: crrm's own operators, present only while a network is trained or masked.
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// Gate (domain crrm): y = x * z[:, units] along `axis`, the same for all other positions.
// x [.., N, .., C, ..] or with the two axes the other way round, N at the axis `sample` (default
// 0); z [N or 1, U + 1], the last column 1; units [C], int64 indices into z's columns; they shrink
// with the axis, so that a column means the same unit however small the network gets.
class Gate final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = node.integer("axis"), sample = node.integer("sample", 0);
    const at::Tensor z = pick(x[1], 1, x[2]);  // [N or 1, C]
    Shape shape(static_cast<size_t>(x[0].dim()), 1);
    shape[static_cast<size_t>(sample)] = z.size(0);
    shape[static_cast<size_t>(axis)] = z.size(1);
    return {x[0] * (sample < axis ? z : z.t()).reshape(shape)};
  }
  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
    labels.merge(node.inputs[2], 0, node.outputs[0], node.integer("axis"));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // gone when deployed
};

// StateGate (domain crrm): hands gates to a node that reads its own state. x [D, R, C] is the
// weight that reads it, z and units as above; y [D, R + N or R + 1, C] holds x and below it
// z[:, units], which the node multiplies its state by at each read. A product x * z would need a
// copy of x for every sample.
class StateGate final : public Operator {
 public:
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    const at::Tensor z = pick(x[1], 1, x[2]);  // [N or 1, C]
    return {at::cat({x[0], z.unsqueeze(0).expand({x[0].size(0), -1, -1})}, 1)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    labels.merge(x, 0, y, 0);
    labels.merge(x, 2, y, 2);
    labels.merge(node.inputs[2], 0, y, 2);
    const AxisLabels rows = labels.axis(x, 1), all = labels.axis(y, 1);
    for (int64_t i = 0; i < rows.extent; ++i) labels.merge(rows[i], all[i]);
    for (int64_t i = rows.extent; i < all.extent; ++i) labels.freeze(all[i], "gates, not weights");
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // gone when deployed
  bool learns(size_t i) const override { return i == 0; }
};

const bool registered_gate = register_operator("crrm", "Gate", std::make_unique<Gate>());
const bool registered_state_gate =
    register_operator("crrm", "StateGate", std::make_unique<StateGate>());

}  // namespace

}  // namespace crrm
