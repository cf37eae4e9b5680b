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
    labels.freeze(x, a, reason);
    labels.freeze(y, a, reason);
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

// MaxPool (ONNX 12), first output only.
// Couples  x[n c s] -> y[n c s']
class MaxPool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0]);
    const at::Tensor padded =
        pad(x[0], w, overhang(node, x[0], w), -std::numeric_limits<double>::infinity());
    const std::vector<int64_t> none(w.kernel.size(), 0);
    switch (w.kernel.size()) {
      case 1:
        return {at::max_pool1d(padded, w.kernel, w.strides, none, w.dilations)};
      case 2:
        return {at::max_pool2d(padded, w.kernel, w.strides, none, w.dilations)};
      case 3:
        return {at::max_pool3d(padded, w.kernel, w.strides, none, w.dilations)};
      default:
        refuse_rank(node);
    }
  }
  void couple(const Node& node, Labels& labels) const override { couple_channels(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only
};

// AveragePool (ONNX 19) without dilations. Padding counts only if count_include_pad; what hangs
// over in ceil_mode never does. Couples  x[n c s] -> y[n c s']
class AveragePool final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Window w = window(node, x[0]);
    if (std::any_of(w.dilations.begin(), w.dilations.end(), [](int64_t d) { return d != 1; }))
      throw InputError({.place = describe(node), .expected = "dilations of 1", .found = "others"});
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

 private:
  static at::Tensor average(const Node& node, const at::Tensor& x, const Window& w) {
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
};

std::vector<int64_t> positions(const at::Tensor& x) {
  std::vector<int64_t> axes;
  for (int64_t a = 2; a < x.dim(); ++a) axes.push_back(a);
  return axes;
}

// GlobalAveragePool, GlobalMaxPool (ONNX 1).
// Couples  x[n c s] -> y[n c 1]
class GlobalPool final : public Operator {
 public:
  explicit GlobalPool(bool average) : average_(average) {}
  Tensors forward(const Node&, const Tensors& x, bool) const override {
    return {average_ ? at::mean(x[0], positions(x[0]), /*keepdim=*/true)
                     : at::amax(x[0], positions(x[0]), /*keepdim=*/true)};
  }
  void couple(const Node& node, Labels& labels) const override { couple_channels(node, labels); }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // sums or compares

 private:
  bool average_;
};

CRRM_REGISTER_OPERATOR(MaxPool);
CRRM_REGISTER_OPERATOR(AveragePool);
CRRM_REGISTER_OPERATOR_AS(GlobalPool, GlobalAveragePool, true);
CRRM_REGISTER_OPERATOR_AS(GlobalPool, GlobalMaxPool, false);

}  // namespace

}  // namespace crrm
