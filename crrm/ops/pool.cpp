// Pooling over windows and over all positions.
#include <limits>

#include "crrm/base/error.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

void couple_channels(const Node& node, Labels& labels) {
  const std::string &x = node.inputs[0], &y = node.outputs[0];
  for (int64_t a = 0; a < labels.rank(x); ++a) {
    if (a < 2) {
      labels.merge(x, a, y, a);
      continue;
    }
    const std::string reason = fmt::format("positions, not channels ({})", describe(node));
    labels.freeze(x, a, reason, Frozen::position);
    labels.freeze(y, a, reason, Frozen::position);
  }
}

struct Window {
  std::vector<int64_t> kernel, strides, dilations, begin, end;
};

/// Explicit padding in front and behind so that plain pooling over the padded map gives ONNX's
/// extents: with ceil_mode the last window may hang over, but must begin inside map and padding.
Window window(const Node& node, const at::Tensor& x) {
  Window w;
  w.kernel = node.integers("kernel_shape");
  const size_t spatial = w.kernel.size();
  if (x.dim() != static_cast<int64_t>(spatial) + 2)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("an input of rank {}", spatial + 2),
                      .found = fmt::format("rank {}", x.dim())});
  w.strides = node.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = node.integers("dilations", std::vector<int64_t>(spatial, 1));
  for (const std::vector<int64_t>& steps : {w.strides, w.dilations})
    if (steps.size() != spatial ||
        std::any_of(steps.begin(), steps.end(), [](int64_t s) { return s < 1; }))
      throw InputError({.place = describe(node),
                        .expected = fmt::format("{} strides and dilations of at least 1", spatial),
                        .found = fmt::format("[{}]", fmt::join(steps, ", "))});
  const std::vector<int64_t> pads =
      spatial_pads(node, x.sizes().vec(), w.kernel, w.strides, w.dilations);
  w.begin.assign(pads.begin(), pads.begin() + static_cast<int64_t>(spatial));
  w.end.assign(pads.begin() + static_cast<int64_t>(spatial), pads.end());
  return w;
}

/// How much further than `end` the last window reaches on each axis when ceil_mode is on.
std::vector<int64_t> overhang(const Node& node, const at::Tensor& x, const Window& w) {
  std::vector<int64_t> extra(w.kernel.size(), 0);
  if (node.integer("ceil_mode", 0) == 0) return extra;
  for (size_t d = 0; d < extra.size(); ++d) {
    const int64_t extent = x.size(static_cast<int64_t>(d) + 2);
    const int64_t padded = extent + w.begin[d] + w.end[d];
    const int64_t reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
    int64_t windows = (padded - reach + w.strides[d] - 1) / w.strides[d] + 1;
    if ((windows - 1) * w.strides[d] >= extent + w.begin[d]) --windows;
    extra[d] = std::max<int64_t>(0, (windows - 1) * w.strides[d] + reach - padded);
  }
  return extra;
}

at::Tensor pad(const at::Tensor& x, const Window& w, const std::vector<int64_t>& extra,
               double value) {
  std::vector<int64_t> pads;
  bool none = true;
  for (size_t d = w.kernel.size(); d-- > 0;) {
    pads.insert(pads.end(), {w.begin[d], w.end[d] + extra[d]});
    none &= w.begin[d] == 0 && w.end[d] + extra[d] == 0;
  }
  return none ? x : at::constant_pad_nd(x, pads, value);
}

[[noreturn]] void refuse_rank(const Node& node) {
  throw InputError({.place = describe(node), .expected = "1 to 3 spatial axes", .found = "more"});
}

void refuse_dilations(const Node& node, const Window& w) {
  if (std::any_of(w.dilations.begin(), w.dilations.end(), [](int64_t d) { return d != 1; }))
    throw InputError({.place = describe(node), .expected = "dilations of 1", .found = "others"});
}

at::Tensor average(const Node& node, const at::Tensor& x, const Window& w) {
  switch (w.kernel.size()) {
    case 1:
      return at::avg_pool1d(x, w.kernel, w.strides);
    case 2:
      return at::avg_pool2d(x, w.kernel, w.strides);
    case 3:
      return at::avg_pool3d(x, w.kernel, w.strides);
    default:
      refuse_rank(node);
  }
}

/// Flat positions in x of the maxima, of which `found` are flat positions in each padded map.
at::Tensor unpadded_positions(const at::Tensor& found, const at::Tensor& x,
                              const at::Tensor& padded, const Window& w) {
  const size_t spatial = w.kernel.size();
  std::vector<at::Tensor> places(spatial);  // by axis
  at::Tensor rest = found;
  for (size_t d = spatial; d-- > 0;) {
    const int64_t extent = padded.size(static_cast<int64_t>(d) + 2);
    places[d] = at::remainder(rest, extent) - w.begin[d];
    rest = at::div(rest, extent, "floor");
  }
  const at::TensorOptions options = found.options();
  Shape map_shape(static_cast<size_t>(x.dim()), 1);
  map_shape[0] = x.size(0);
  map_shape[1] = x.size(1);
  at::Tensor result = at::arange(x.size(0) * x.size(1), options).view(map_shape);
  for (size_t d = 0; d < spatial; ++d)
    result = result * x.size(static_cast<int64_t>(d) + 2) + places[d];
  return result;
}

// MaxPool (ONNX 12). Its second output, where somebody asks for it, numbers the elements of the
// whole input, so that the channel axis is frozen then.
// Couples  x[n c s] -> y[n c s']
class MaxPool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0]);
    const at::ScalarType type = x[0].scalar_type();
    // ATen's kernels know no bytes; float32 holds them exactly.
    const at::Tensor real = type == at::kByte || type == at::kChar ? x[0].to(at::kFloat) : x[0];
    const at::Tensor padded =
        pad(real, w, overhang(node, x[0], w), -std::numeric_limits<double>::infinity());
    if (!gives_positions(node)) return {maxima(node, padded, w).to(type)};
    if (node.integer("storage_order", 0) != 0)
      throw InputError({.place = describe(node),
                        .expected = "storage_order 0 (row-major)",
                        .found = "storage_order 1"});
    if (x[0].is_meta()) {
      const at::Tensor y = maxima(node, padded, w).to(type);
      return {y, at::empty_like(y, at::kLong)};
    }
    const auto [y, found] = maxima_and_positions(node, padded, w);
    return {y.to(type), unpadded_positions(found, x[0], padded, w)};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_channels(node, labels);
    if (!gives_positions(node)) return;
    const std::string reason = fmt::format("its elements are numbered ({})", describe(node));
    labels.freeze(node.inputs[0], reason);
    labels.freeze(node.outputs[1], reason);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only

 private:
  static bool gives_positions(const Node& node) {
    return node.outputs.size() > 1 && !node.outputs[1].empty();
  }
  /// at::max_pool3d has its meta kernel in Python alone.
  static Shape pooled_shape(const at::Tensor& x, const Window& w) {
    Shape shape = x.sizes().vec();
    for (size_t d = 0; d < w.kernel.size(); ++d)
      shape[d + 2] = (shape[d + 2] - (w.kernel[d] - 1) * w.dilations[d] - 1) / w.strides[d] + 1;
    return shape;
  }
  static at::Tensor maxima(const Node& node, const at::Tensor& x, const Window& w) {
    if (x.is_meta() && w.kernel.size() == 3) return at::empty(pooled_shape(x, w), x.options());
    const std::vector<int64_t> none(w.kernel.size(), 0);
    switch (w.kernel.size()) {
      case 1:
        return at::max_pool1d(x, w.kernel, w.strides, none, w.dilations);
      case 2:
        return at::max_pool2d(x, w.kernel, w.strides, none, w.dilations);
      case 3:
        return at::max_pool3d(x, w.kernel, w.strides, none, w.dilations);
      default:
        refuse_rank(node);
    }
  }
  static std::tuple<at::Tensor, at::Tensor> maxima_and_positions(const Node& node,
                                                                 const at::Tensor& x,
                                                                 const Window& w) {
    const std::vector<int64_t> none(w.kernel.size(), 0);
    switch (w.kernel.size()) {
      case 1:
        return at::max_pool1d_with_indices(x, w.kernel, w.strides, none, w.dilations);
      case 2:
        return at::max_pool2d_with_indices(x, w.kernel, w.strides, none, w.dilations);
      case 3:
        return at::max_pool3d_with_indices(x, w.kernel, w.strides, none, w.dilations);
      default:
        refuse_rank(node);
    }
  }
};

// MaxUnpool (ONNX 11) without output_shape: y is 0 but for x's elements, each at the place that
// input 1 gives among all of y's. These numbers depend on the extents: everything is frozen.
class MaxUnpool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x.size() > 2 && x[2].defined())
      throw InputError(
          {.place = describe(node), .expected = "no output_shape", .found = "an output_shape"});
    const Window w = window(node, x[0]);
    Shape shape = x[0].sizes().vec();
    for (size_t d = 0; d < w.kernel.size(); ++d)
      shape[d + 2] = (shape[d + 2] - 1) * w.strides[d] + w.kernel[d] - w.begin[d] - w.end[d];
    if (x[0].is_meta()) return {at::empty(shape, x[0].options())};
    const at::Tensor empty = at::zeros({elements(shape)}, x[0].options().requires_grad(false));
    return {at::scatter(empty, 0, x[1].flatten(), x[0].flatten()).view(shape)};
  }
  void couple(const Node& node, Labels& labels) const override {
    freeze_all(node, labels, fmt::format("its elements are numbered ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// AveragePool (ONNX 19) without dilations. Padding counts only if count_include_pad; what hangs
// over in ceil_mode never does. Couples  x[n c s] -> y[n c s']
class AveragePool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0]);
    refuse_dilations(node, w);
    const std::vector<int64_t> extra = overhang(node, x[0], w);
    const at::Tensor padded = pad(x[0], w, extra, 0);
    const at::Tensor mean = average(node, padded, w);
    if (padded.is_same(x[0])) return {mean};
    // The share of each window that counts, by the same pooling of ones.
    const bool include = node.integer("count_include_pad", 0) != 0;
    const Window nothing{w.kernel, w.strides, w.dilations, std::vector<int64_t>(w.kernel.size(), 0),
                         std::vector<int64_t>(w.kernel.size(), 0)};
    at::Tensor ones = at::ones_like(x[0].slice(0, 0, 1).slice(1, 0, 1));
    if (include) ones = pad(ones, w, std::vector<int64_t>(w.kernel.size(), 0), 1);
    const at::Tensor counted = include ? pad(ones, nothing, extra, 0) : pad(ones, w, extra, 0);
    return {mean / average(node, counted, w)};
  }
  void couple(const Node& node, Labels& labels) const override { couple_channels(node, labels); }
  /// Sums are not multiply-accumulates.
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }
};

/// sum^(1/p), with a gradient of 0 where the sum is 0.
at::Tensor root(const at::Tensor& sum, double p) {
  const at::Tensor zero = sum == 0;
  return at::pow(sum.masked_fill(zero, 1), 1 / p).masked_fill(zero, 0);
}

// LpPool (ONNX 18) without dilations: y = (sum of |x|^p over the window)^(1/p), p = 2 by default.
// Couples  x[n c s] -> y[n c s']
class LpPool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0]);
    refuse_dilations(node, w);
    const double p = static_cast<double>(node.integer("p", 2));
    const at::Tensor padded = pad(x[0], w, overhang(node, x[0], w), 0);
    if (x[0].is_meta()) return {average(node, padded, w)};
    const at::Tensor mean = average(node, at::pow(at::abs(padded), p), w);
    return {root(mean * elements(w.kernel), p)};
  }
  void couple(const Node& node, Labels& labels) const override { couple_channels(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // no parameter
};

std::vector<int64_t> positions(const at::Tensor& x) {
  std::vector<int64_t> axes;
  for (int64_t a = 2; a < x.dim(); ++a) axes.push_back(a);
  return axes;
}

// GlobalAveragePool, GlobalMaxPool (ONNX 1), GlobalLpPool (ONNX 2, p = 2 by default).
// Couples  x[n c s] -> y[n c 1]
class GlobalPool final : public Operator {
 public:
  using Function = std::function<at::Tensor(const Node&, const at::Tensor&, at::IntArrayRef axes)>;
  explicit GlobalPool(Function function) : function_(std::move(function)) {}
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const std::vector<int64_t> axes = positions(x[0]);
    // All have the extents of a mean, which has a meta kernel in C++.
    return {x[0].is_meta() ? at::mean(x[0], axes, /*keepdim=*/true) : function_(node, x[0], axes)};
  }
  void couple(const Node& node, Labels& labels) const override { couple_channels(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // sums or compares

 private:
  Function function_;
};

using N = const Node&;
using T = const at::Tensor&;
using A = at::IntArrayRef;

CRRM_REGISTER_OPERATOR(MaxPool);
CRRM_REGISTER_OPERATOR(MaxUnpool);
CRRM_REGISTER_OPERATOR(AveragePool);
CRRM_REGISTER_OPERATOR(LpPool);
CRRM_REGISTER_OPERATOR_AS(GlobalPool, GlobalAveragePool,
                          [](N, T x, A axes) { return at::mean(x, axes, /*keepdim=*/true); });
CRRM_REGISTER_OPERATOR_AS(GlobalPool, GlobalMaxPool,
                          [](N, T x, A axes) { return at::amax(x, axes, /*keepdim=*/true); });
CRRM_REGISTER_OPERATOR_AS(GlobalPool, GlobalLpPool, [](N node, T x, A axes) {
  return at::linalg_vector_norm(x, node.integer("p", 2), axes, /*keepdim=*/true);
});

}  // namespace

}  // namespace crrm
