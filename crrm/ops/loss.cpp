// Losses of classes. What they say is a number, not a map, so that nothing before them may leave:
// every axis they touch is frozen.
#include "crrm/base/error.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// The loss of each place, [N, D1, ...], reduced as the node says.
/// @param scores  [N, C, D1, ...], logarithms of probabilities
/// @param target  [N, D1, ...], classes; places of the class ignore_index count nothing
/// @param weight  [C], or undefined: ones
at::Tensor likelihood_loss(const Node& node, const at::Tensor& scores, const at::Tensor& target,
                           const at::Tensor& weight) {
  const std::string reduction = node.text("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    throw InputError(
        {.place = describe(node), .expected = "reduction none, sum or mean", .found = reduction});
  if (scores.is_meta())
    return at::empty(reduction == "none" ? target.sizes() : Shape{}, scores.options());
  at::Tensor classes = target.to(at::kLong);
  at::Tensor share = at::ones(classes.sizes(), scores.options().requires_grad(false));
  if (node.has("ignore_index")) {
    const at::Tensor ignored = classes == node.integer("ignore_index");
    classes = classes.masked_fill(ignored, 0);
    share = share.masked_fill(ignored, 0);
  }
  if (weight.defined()) share = share * weight.index({classes});
  const at::Tensor loss = -share * scores.gather(1, classes.unsqueeze(1)).squeeze(1);
  if (reduction == "none") return loss;
  return reduction == "sum" ? loss.sum() : loss.sum() / share.sum();
}

at::Tensor weight_of(const Tensors& x) {
  return x.size() > 2 ? x[2] : at::Tensor();
}

void couple_loss(const Node& node, Labels& labels) {
  freeze_all(node, labels, fmt::format("read by a loss ({})", describe(node)));
}

// NegativeLogLikelihoodLoss (ONNX 13): y[n d] = -weight[t] x[n t d] with t = target[n d]; its mean
// is that weighted by weight[t].
class NegativeLogLikelihoodLoss final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    return {likelihood_loss(node, x[0], x[1], weight_of(x))};
  }
  void couple(const Node& node, Labels& labels) const override { couple_loss(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // picks elements
};

// SoftmaxCrossEntropyLoss (ONNX 13): the loss above of p = log_softmax(x) over the classes; p is
// the second output.
class SoftmaxCrossEntropyLoss final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const at::Tensor p = x[0].is_meta() ? at::empty_like(x[0]) : at::log_softmax(x[0], 1);
    return {likelihood_loss(node, p, x[1], weight_of(x)), p};
  }
  void couple(const Node& node, Labels& labels) const override { couple_loss(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
};

CRRM_REGISTER_OPERATOR(NegativeLogLikelihoodLoss);
CRRM_REGISTER_OPERATOR(SoftmaxCrossEntropyLoss);

}  // namespace

}  // namespace crrm
