// Quantise (domain crrm): y = step round(x / step), a channel inside the model. The gradient passes
// as if y were x: the straight-through estimator of Bengio, Leonard, Courville, "Estimating or
// propagating gradients through stochastic neurons", 2013, section 4. (QuantizeLinear gives
// integers, through which no gradient passes.)
#include "crrm/phases/quantise.h"

#include "crrm/graph/labels.h"
#include "crrm/graph/operator.h"

namespace crrm {

namespace {

class Quantise final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const double step = node.real("step");
    const at::Tensor rounded = at::round(x[0].detach() / step) * step;
    return {x[0] + (rounded - x[0].detach())};
  }
  void couple(const Node& node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
  bool pointwise() const override { return true; }
};

const bool registered = register_operator("crrm", "Quantise", std::make_unique<Quantise>());

}  // namespace

Graph quantise_after(const Graph& graph, const std::string& op, double step) {
  Graph result = graph;
  result.nodes.clear();
  for (Node node : graph.nodes) {
    const bool chosen = node.op == op;
    const std::string value = node.outputs[0];
    if (chosen) node.outputs[0] = value + "_exact";
    const std::string name = node.name;
    result.nodes.push_back(std::move(node));
    if (chosen)
      result.nodes.push_back({.op = "Quantise",
                              .name = name + "_quantised",
                              .domain = "crrm",
                              .inputs = {value + "_exact"},
                              .outputs = {value},
                              .attributes = {{"step", step}}});
  }
  return result;
}

}  // namespace crrm
