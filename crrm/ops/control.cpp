// Control flow. Loop and Scan are unknown: they can be named, not run.
#include "crrm/graph/branches.h"
#include "crrm/graph/executor.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// If (ONNX 21): y = then_branch(x) where the condition holds, else else_branch(x). Input 0 is the
// condition; the others are what the branches use. The branches may differ in everything, and which
// one runs is known with the data: all that it touches is frozen, and shapes behind it are unknown.
// Where the condition is a constant, graph/branches.h puts the branch's nodes in place of the If.
class If final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool training) const override {
    const Graph& branch = branch_of(node, x[0]);
    return Executor(branch).run({x.begin() + 1, x.end()}, training);
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("a branch chosen at run time ({})", describe(node)));
  }
  // Which branch runs, and with what shapes, is known with the data alone.
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }
  // The branches may compute shapes from any of them.
  bool shape_depends_on_value(size_t) const override { return true; }
};

CRRM_REGISTER_OPERATOR(If);

}  // namespace

}  // namespace crrm
