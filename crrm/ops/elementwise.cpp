// Operators that treat every element alike: an index of the result depends on the same index of the
// inputs, broadcast axes aside. Nothing is contracted, so none of them has multiply-accumulates.
#include <ATen/ExpandUtils.h>

#include "crrm/base/error.h"
#include "crrm/ops/axes.h"
#include "crrm/ops/element_type.h"

namespace crrm {

namespace {

/// ATen's C++ library has no meta kernel for many of these; one rule serves them all: the extents
/// are the broadcast ones, the type is that of the same function of single elements.
at::Tensor on_meta(const std::function<at::Tensor(const Node&, const Tensors&)>& function,
                   const Node& node, const Tensors& x) {
  Tensors single;
  Shape shape;
  for (const at::Tensor& input : x) {
    single.push_back(input.defined() ? at::ones({}, input.options().device(at::kCPU)) : input);
    if (input.defined()) shape = at::infer_size(shape, input.sizes());
  }
  return at::empty(shape, function(node, single).options().device(at::kMeta));
}

bool any_meta(const Tensors& x) {
  return std::any_of(x.begin(), x.end(),
                     [](const at::Tensor& input) { return input.defined() && input.is_meta(); });
}

// Couples  x0[i j], x1[j], ... -> y[i j]
class Elementwise final : public Operator {
 public:
  using Function = std::function<at::Tensor(const Node&, const Tensors&)>;
  explicit Elementwise(Function function, Rectifies rectifies = Rectifies::never)
      : function_(std::move(function)), rectifies_(rectifies) {}

  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    return {any_meta(x) ? on_meta(function_, node, x) : function_(node, x)};
  }

  void couple(const Node& node, Labels& labels) const override {
    for (const std::string& input : node.inputs)
      if (!input.empty()) labels.broadcast(input, node.outputs[0]);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
  bool pointwise() const override { return true; }
  Rectifies rectifies() const override { return rectifies_; }

 private:
  Function function_;
  Rectifies rectifies_;
};

/// Bias and slope: a constant with more than one element that is added or multiplies is learned.
class LearnedElementwise final : public Operator {
 public:
  LearnedElementwise(std::optional<double> neutral, Rectifies rectifies,
                     Elementwise::Function function)
      : neutral_(neutral), elementwise_(std::move(function), rectifies) {}
  Tensors forward(const Node& node, const Tensors& x, bool training) const override {
    return elementwise_.forward(node, x, training);
  }
  void couple(const Node& node, Labels& labels) const override {
    elementwise_.couple(node, labels);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // contracts nothing
  bool learns(size_t i) const override { return i == 1; }
  bool pointwise() const override { return true; }
  std::optional<double> neutral() const override { return neutral_; }
  Rectifies rectifies() const override { return elementwise_.rectifies(); }

 private:
  std::optional<double> neutral_;
  Elementwise elementwise_;
};

using T = const Tensors&;
using N = const Node&;

at::Tensor clip(N node, T x) {
  const auto bound = [&](size_t i) {
    return i < x.size() && x[i].defined() ? std::optional<at::Tensor>(x[i]) : std::nullopt;
  };
  if (!bound(1) && !bound(2)) return x[0];
  return at::clamp(x[0], bound(1), bound(2));
}

/// ONNX's integer division truncates.
at::Tensor divide(N, T x) {
  if (at::isIntegralType(x[0].scalar_type(), true)) return at::div(x[0], x[1], "trunc");
  return at::div(x[0], x[1]);
}

at::Tensor modulo(N node, T x) {
  return node.integer("fmod", 0) != 0 ? at::fmod(x[0], x[1]) : at::remainder(x[0], x[1]);
}

at::Tensor add(const at::Tensor& a, const at::Tensor& b) {
  return at::add(a, b);
}

at::Tensor fold_left(T x, at::Tensor (*function)(const at::Tensor&, const at::Tensor&)) {
  at::Tensor result = x[0];
  for (size_t i = 1; i < x.size(); ++i) result = function(result, x[i]);
  return result;
}

/// Slope axes align with the input's last axes; ATen wants one slope a channel, so: by hand.
at::Tensor prelu(N, T x) {
  return at::where(x[0] >= 0, x[0], x[0] * x[1]);
}

at::Tensor hard_sigmoid(N node, T x) {
  return at::clamp(x[0] * node.real("alpha", 0.2) + node.real("beta", 0.5), 0, 1);
}

// y = gamma x above 0, gamma alpha (exp(x) - 1) below. ONNX's defaults are those of the paper
// (Klambauer et al. 2017) in float32.
at::Tensor selu(N node, T x) {
  const double alpha = node.real("alpha", 1.67326319217681884765625);
  return at::elu(x[0], alpha, node.real("gamma", 1.05070102214813232421875));
}

// y = x + bias below -lambd, x - bias above lambd, 0 between.
at::Tensor shrink(N node, T x) {
  const double lambd = node.real("lambd", 0.5), bias = node.real("bias", 0);
  const at::Tensor outer = at::where(x[0] < 0, x[0] + bias, x[0] - bias);
  return at::where(at::abs(x[0]) > lambd, outer, at::zeros_like(outer));
}

at::Tensor is_inf(N node, T x) {
  const bool negative = node.integer("detect_negative", 1) != 0;
  const bool positive = node.integer("detect_positive", 1) != 0;
  if (negative && positive) return at::isinf(x[0]);
  if (negative) return at::isneginf(x[0]);
  return positive ? at::isposinf(x[0]) : at::zeros_like(x[0], at::kBool);
}

at::Tensor bit_shift(N node, T x) {
  const std::string& direction = node.text("direction");
  if (direction == "LEFT") return at::bitwise_left_shift(x[0], x[1]);
  if (direction == "RIGHT") return at::bitwise_right_shift(x[0], x[1]);
  throw InputError(
      {.place = describe(node), .expected = "direction LEFT or RIGHT", .found = direction});
}

#define CRRM_ELEMENTWISE(op, expression) \
  CRRM_REGISTER_OPERATOR_AS(Elementwise, op, [](N node, T x) -> at::Tensor { return expression; })
#define CRRM_RECTIFIER(op, expression)                                       \
  CRRM_REGISTER_OPERATOR_AS(                                                 \
      Elementwise, op, [](N node, T x) -> at::Tensor { return expression; }, \
      Operator::Rectifies::always)
#define CRRM_LEARNED(op, neutral, rectifies, expression)                                     \
  CRRM_REGISTER_OPERATOR_AS(LearnedElementwise, op, neutral, Operator::Rectifies::rectifies, \
                            [](N node, T x) -> at::Tensor { return expression; })

CRRM_ELEMENTWISE(Abs, at::abs(x[0]));
CRRM_ELEMENTWISE(Acos, at::acos(x[0]));
CRRM_ELEMENTWISE(Acosh, at::acosh(x[0]));
CRRM_ELEMENTWISE(And, at::logical_and(x[0], x[1]));
CRRM_ELEMENTWISE(Asin, at::asin(x[0]));
CRRM_ELEMENTWISE(Asinh, at::asinh(x[0]));
CRRM_ELEMENTWISE(Atan, at::atan(x[0]));
CRRM_ELEMENTWISE(Atanh, at::atanh(x[0]));
CRRM_ELEMENTWISE(BitShift, bit_shift(node, x));
CRRM_ELEMENTWISE(BitwiseAnd, at::bitwise_and(x[0], x[1]));
CRRM_ELEMENTWISE(BitwiseNot, at::bitwise_not(x[0]));
CRRM_ELEMENTWISE(BitwiseOr, at::bitwise_or(x[0], x[1]));
CRRM_ELEMENTWISE(BitwiseXor, at::bitwise_xor(x[0], x[1]));
CRRM_ELEMENTWISE(Cast, x[0].to(element_type(node, node.integer("to"))));
CRRM_ELEMENTWISE(Ceil, at::ceil(x[0]));
CRRM_RECTIFIER(Celu, at::celu(x[0], node.real("alpha", 1)));
CRRM_RECTIFIER(Clip, clip(node, x));
CRRM_ELEMENTWISE(Cos, at::cos(x[0]));
CRRM_ELEMENTWISE(Cosh, at::cosh(x[0]));
CRRM_ELEMENTWISE(Div, divide(node, x));
CRRM_RECTIFIER(Elu, at::elu(x[0], node.real("alpha", 1)));
CRRM_ELEMENTWISE(Equal, at::eq(x[0], x[1]));
CRRM_ELEMENTWISE(Erf, at::erf(x[0]));
CRRM_ELEMENTWISE(Exp, at::exp(x[0]));
CRRM_ELEMENTWISE(Floor, at::floor(x[0]));
CRRM_RECTIFIER(Gelu, at::gelu(x[0], node.text("approximate", "none")));
CRRM_ELEMENTWISE(Greater, at::gt(x[0], x[1]));
CRRM_ELEMENTWISE(GreaterOrEqual, at::ge(x[0], x[1]));
CRRM_ELEMENTWISE(HardSigmoid, hard_sigmoid(node, x));
CRRM_RECTIFIER(HardSwish, at::hardswish(x[0]));
CRRM_ELEMENTWISE(Identity, x[0]);
CRRM_ELEMENTWISE(IsInf, is_inf(node, x));
CRRM_ELEMENTWISE(IsNaN, at::isnan(x[0]));
CRRM_RECTIFIER(LeakyRelu, at::leaky_relu(x[0], node.real("alpha", 0.01)));
CRRM_ELEMENTWISE(Less, at::lt(x[0], x[1]));
CRRM_ELEMENTWISE(LessOrEqual, at::le(x[0], x[1]));
CRRM_ELEMENTWISE(Log, at::log(x[0]));
CRRM_ELEMENTWISE(Max, fold_left(x, at::maximum));
CRRM_ELEMENTWISE(Mean, fold_left(x, add) / static_cast<double>(x.size()));
CRRM_ELEMENTWISE(Min, fold_left(x, at::minimum));
CRRM_RECTIFIER(Mish, at::mish(x[0]));
CRRM_ELEMENTWISE(Mod, modulo(node, x));
CRRM_ELEMENTWISE(Neg, at::neg(x[0]));
CRRM_ELEMENTWISE(Not, at::logical_not(x[0]));
CRRM_ELEMENTWISE(Or, at::logical_or(x[0], x[1]));
CRRM_ELEMENTWISE(Pow, at::pow(x[0], x[1]).to(x[0].scalar_type()));
CRRM_ELEMENTWISE(Reciprocal, at::reciprocal(x[0]));
CRRM_RECTIFIER(Relu, at::relu(x[0]));
CRRM_ELEMENTWISE(Round, at::round(x[0]));  // half to even
CRRM_RECTIFIER(Selu, selu(node, x));
CRRM_ELEMENTWISE(Shrink, shrink(node, x));
CRRM_ELEMENTWISE(Sigmoid, at::sigmoid(x[0]));
CRRM_ELEMENTWISE(Sign, at::sign(x[0]));
CRRM_ELEMENTWISE(Sin, at::sin(x[0]));
CRRM_ELEMENTWISE(Sinh, at::sinh(x[0]));
CRRM_ELEMENTWISE(Softplus, at::softplus(x[0]));
CRRM_ELEMENTWISE(Softsign, x[0] / (1 + at::abs(x[0])));
CRRM_ELEMENTWISE(Sqrt, at::sqrt(x[0]));
CRRM_ELEMENTWISE(Sub, at::sub(x[0], x[1]));
CRRM_ELEMENTWISE(Sum, fold_left(x, add));
CRRM_ELEMENTWISE(Tan, at::tan(x[0]));
CRRM_ELEMENTWISE(Tanh, at::tanh(x[0]));
CRRM_RECTIFIER(ThresholdedRelu, at::threshold(x[0], node.real("alpha", 1), 0));
CRRM_ELEMENTWISE(Where, at::where(x[0].to(at::kBool), x[1], x[2]));
CRRM_ELEMENTWISE(Xor, at::logical_xor(x[0], x[1]));
CRRM_LEARNED(Add, 0.0, never, at::add(x[0], x[1]));
CRRM_LEARNED(Mul, 1.0, of_one_value, at::mul(x[0], x[1]));
CRRM_LEARNED(PRelu, std::nullopt, always, prelu(node, x));

// CastLike (ONNX 19): of its second input only the type matters, not the extents.
// Couples  x[i] -> y[i]
class CastLike final : public Operator {
 public:
  Tensors forward(N, T x, bool) const override { return {x[0].to(x[1].scalar_type())}; }
  void couple(N node, Labels& labels) const override {
    labels.broadcast(node.inputs[0], node.outputs[0]);
  }
  int64_t macs(N, const NodeShapes&) const override { return 0; }  // contracts nothing
};

// Dropout (ONNX 13) in inference: the identity, and a mask of what stays. training_mode (input 2)
// with a ratio (input 1) above 0 is random, and refused.
// Couples  x[i] -> y[i], mask[i]
class Dropout final : public Operator {
 public:
  Tensors forward(N node, T x, bool) const override {
    if (is_random(x))
      throw InputError({.place = describe(node),
                        .expected = "a Dropout for inference",
                        .found = "training_mode, which is random",
                        .hint = "export the model in evaluation mode"});
    Tensors result{x[0]};
    if (node.outputs.size() > 1) result.push_back(at::ones_like(x[0], at::kBool));
    return result;
  }
  void couple(N node, Labels& labels) const override {
    for (const std::string& y : node.outputs)
      if (!y.empty()) labels.broadcast(node.inputs[0], y);
  }
  int64_t macs(N, const NodeShapes&) const override { return 0; }  // contracts nothing
  bool pointwise() const override { return true; }

 private:
  static bool is_random(T x) {
    if (x.size() < 3 || !x[2].defined() || x[2].is_meta() || !x[2].item<bool>()) return false;
    return !x[1].defined() || x[1].item<double>() > 0;
  }
};

CRRM_REGISTER_OPERATOR(CastLike);
CRRM_REGISTER_OPERATOR(Dropout);

}  // namespace

}  // namespace crrm
