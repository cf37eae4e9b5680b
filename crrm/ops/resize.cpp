// Resampling of positions.
#include <cmath>
#include <numeric>

#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// How one axis is resampled; `scale` as given, which need not be `to / from` exactly.
struct Resampling {
  int64_t from, to;
  float scale;
  bool changes() const { return from != to || scale != 1; }
};

/// A value of the result is a weighted sum of `taps` values of the input.
struct Taps {
  at::Tensor index;   // [taps, to] int64
  at::Tensor weight;  // [taps, to] float64
};

/// An attribute that is one of the values allowed.
std::string choice(const Node& node, const char* key, const char* fallback,
                   const std::vector<std::string>& allowed) {
  const std::string value = node.text(key, fallback);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    throw InputError({.place = describe(node),
                      .expected = fmt::format("{} {}", key, fmt::join(allowed, ", ")),
                      .found = value});
  return value;
}

std::string mode_of(const Node& node) {
  return choice(node, "mode", "nearest", {"nearest", "linear", "cubic"});
}
std::string coordinates_of(const Node& node) {
  return choice(
      node, "coordinate_transformation_mode", "half_pixel",
      {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"});
}
std::string rounding_of(const Node& node) {
  return choice(node, "nearest_mode", "round_prefer_floor",
                {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
}

/// Where index `i` of the result lies in the input. In float32, as ONNX Runtime computes it: which
/// neighbour is nearest depends on the last bit.
float place(const std::string& coordinates, const Resampling& axis, int64_t i) {
  const float at = static_cast<float>(i);
  const float from = static_cast<float>(axis.from), to = static_cast<float>(axis.to);
  if (coordinates == "asymmetric") return at / axis.scale;
  if (coordinates == "align_corners") return axis.to == 1 ? 0 : at * (from - 1) / (to - 1);
  if (coordinates == "pytorch_half_pixel" && axis.to == 1) return 0;
  const float half_pixel = (at + 0.5F) / axis.scale - 0.5F;
  if (coordinates != "half_pixel_symmetric") return half_pixel;
  return from / 2 * (1 - to / (axis.scale * from)) + half_pixel;  // the centres coincide
}

float nearest(const std::string& rounding, float x) {
  const float below = std::floor(x), rest = x - below;
  if (rounding == "floor") return below;
  if (rounding == "ceil") return std::ceil(x);
  const bool up = rest > 0.5F || (rest == 0.5F && rounding == "round_prefer_ceil");
  return below + (up ? 1 : 0);
}

/// Weights of the neighbours around a place that lies `s` behind the second of four (cubic, Keys
/// 1981 with parameter a) or the first of two (linear).
std::vector<double> kernel(const Node& node, bool cubic, double s) {
  if (!cubic) return {1 - s, s};
  const double a = node.real("cubic_coeff_a", -0.75);
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(s + 1), near(s), near(1 - s), far(2 - s)};
}

Taps nearest_tap(const Node& node, const Resampling& axis) {
  const std::string coordinates = coordinates_of(node), rounding = rounding_of(node);
  std::vector<int64_t> index;
  for (int64_t i = 0; i < axis.to; ++i)
    index.push_back(std::clamp<int64_t>(
        static_cast<int64_t>(nearest(rounding, place(coordinates, axis, i))), 0, axis.from - 1));
  return {at::tensor(index, at::kLong).unsqueeze(0), at::ones({1, axis.to}, at::kDouble)};
}

/// Outside the input its first or last value counts; with exclude_outside nothing does, and the
/// other weights are raised to a sum of 1.
Taps interpolation_taps(const Node& node, const Resampling& axis, bool cubic) {
  const std::string coordinates = coordinates_of(node);
  const bool exclude = node.integer("exclude_outside", 0) != 0;
  const int64_t taps = cubic ? 4 : 2, before = cubic ? 1 : 0;
  const Taps result{at::empty({taps, axis.to}, at::kLong), at::empty({taps, axis.to}, at::kDouble)};
  auto index = result.index.accessor<int64_t, 2>();
  auto weight = result.weight.accessor<double, 2>();
  for (int64_t i = 0; i < axis.to; ++i) {
    const float x = place(coordinates, axis, i);
    const float first = std::floor(x);
    std::vector<double> weights = kernel(node, cubic, x - first);
    double total = 0;
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t source = static_cast<int64_t>(first) + k - before;
      double& w = weights[static_cast<size_t>(k)];
      if (exclude && (source < 0 || source >= axis.from)) w = 0;
      index[k][i] = std::clamp<int64_t>(source, 0, axis.from - 1);
      total += w;
    }
    for (int64_t k = 0; k < taps; ++k)
      weight[k][i] = weights[static_cast<size_t>(k)] / (exclude ? total : 1);
  }
  return result;
}

at::Tensor resample(const at::Tensor& x, int64_t axis, const Taps& taps) {
  Shape along(static_cast<size_t>(x.dim()), 1);
  along[static_cast<size_t>(axis)] = taps.index.size(1);
  at::Tensor y;
  for (int64_t k = 0; k < taps.index.size(0); ++k) {
    const at::Tensor source = pick(x, axis, taps.index[k].to(x.device()));
    if (taps.index.size(0) == 1) return source;
    const at::Tensor term = source * taps.weight[k].to(x.options()).view(along);
    y = y.defined() ? y + term : term;
  }
  return y;
}

// Resize (ONNX 19): scales in input 2 or extents in input 3, of all axes or of `axes`. Each axis by
// itself: y[i] = sum over k of w_k(p) x[floor(p) + k] at the place p of index i, by the nearest
// value, linearly or by cubic convolution.
// Couples  x[n c s] -> y[n c s'], s frozen where its scale is not 1
class Resize final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    refuse_options(node);
    const std::vector<Resampling> axes =
        resamplings(node, x[0].sizes().vec(), x.size() > 2 ? x[2] : at::Tensor(),
                    x.size() > 3 ? x[3] : at::Tensor());
    Shape shape;
    for (const Resampling& axis : axes) shape.push_back(axis.to);
    if (x[0].is_meta()) return {at::empty(shape, x[0].options())};
    if (const at::Tensor y = by_library(node, x[0], axes); y.defined()) return {y};
    const std::string mode = mode_of(node);
    at::Tensor y = x[0];
    for (size_t a = 0; a < axes.size(); ++a)
      if (axes[a].changes())
        y = resample(y, static_cast<int64_t>(a),
                     mode == "nearest" ? nearest_tap(node, axes[a])
                                       : interpolation_taps(node, axes[a], mode == "cubic"));
    return {y};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    if (node.has_input(2) && !labels.is_constant(node.inputs[2]))
      return freeze_all(node, labels,
                        fmt::format("scales computed at run time ({})", describe(node)));
    Shape shape;
    for (int64_t a = 0; a < labels.rank(x); ++a) shape.push_back(labels.extent(x, a));
    const std::vector<Resampling> axes =
        resamplings(node, shape, node.has_input(2) ? labels.content(node.inputs[2]) : at::Tensor(),
                    node.has_input(3) ? labels.content(node.inputs[3]) : at::Tensor());
    for (int64_t a = 0; a < labels.rank(x); ++a) {
      if (!axes[static_cast<size_t>(a)].changes()) {
        labels.merge(x, a, y, a);
        continue;
      }
      for (const std::string& value : {x, y})
        labels.freeze(value, a, fmt::format("positions, not channels ({})", describe(node)),
                      Frozen::position);
    }
  }

  /// Extents that are given name those of axes that shrink: only the resampled axes keep theirs.
  /// So it does not matter either whether extents computed at run time would follow.
  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    if (!node.has_input(3)) return;
    std::vector<int64_t> axes, extents;
    bool changes = false;
    for (int64_t a = 0; a < shrinkage.rank(x); ++a) {
      changes |= shrinkage.shrinks(x, a);
      if (shrinkage.extent(x, a) == shrinkage.extent(y, a)) continue;
      axes.push_back(a);
      extents.push_back(shrinkage.extent(y, a));
    }
    if (!changes) return;
    if (axes.empty()) {
      node.op = "Identity";
      node.inputs.resize(1);
      node.attributes.clear();
      return;
    }
    node.attributes["axes"] = axes;
    shrinkage.set_input(node, 3, extents);
  }

  /// The weights are no parameters, and an axis has few of them.
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }
  bool shape_depends_on_value(size_t i) const override { return i == 2 || i == 3; }

 private:
  static void refuse_options(const Node& node) {
    if (node.integer("antialias", 0) != 0)
      throw InputError(
          {.place = describe(node), .expected = "antialias 0", .found = "antialias 1"});
    choice(node, "keep_aspect_ratio_policy", "stretch", {"stretch"});
    mode_of(node);
    coordinates_of(node);
    rounding_of(node);
  }

  static std::vector<Resampling> resamplings(const Node& node, const Shape& shape,
                                             const at::Tensor& scales, const at::Tensor& extents) {
    const bool by_scale = scales.defined() && scales.numel() > 0;
    const at::Tensor given = by_scale ? scales : extents;
    std::vector<int64_t> axes = node.integers("axes", all_axes(shape));
    if (!given.defined() || given.numel() != static_cast<int64_t>(axes.size()))
      throw InputError({.place = describe(node),
                        .expected = fmt::format("{} scales or sizes", axes.size()),
                        .found = fmt::format("{}", given.defined() ? given.numel() : 0)});
    const at::Tensor values = given.to(at::kDouble).flatten();
    std::vector<Resampling> result;
    for (const int64_t extent : shape) result.push_back({extent, extent, 1});
    for (size_t i = 0; i < axes.size(); ++i) {
      const size_t axis =
          static_cast<size_t>(normal_axis(node, axes[i], static_cast<int64_t>(shape.size())));
      Resampling& r = result[axis];
      const double value = values[static_cast<int64_t>(i)].item<double>();
      r.scale = static_cast<float>(value) / (by_scale ? 1 : static_cast<float>(r.from));
      r.to =
          static_cast<int64_t>(by_scale ? std::floor(static_cast<float>(r.from) * r.scale) : value);
      if (!(r.scale > 0) || r.to < 1 || r.from < 1)
        throw InputError({.place = describe(node),
                          .expected = "scales and sizes that leave at least one position",
                          .found = fmt::format("{} on axis {} of extent {}", value, axis, r.from)});
    }
    return result;
  }

  static std::vector<int64_t> all_axes(const Shape& shape) {
    std::vector<int64_t> axes(shape.size());
    std::iota(axes.begin(), axes.end(), int64_t{0});
    return axes;
  }

  /// ATen's kernels for two spatial axes where they are the same function; else undefined.
  static at::Tensor by_library(const Node& node, const at::Tensor& x,
                               const std::vector<Resampling>& axes) {
    if (x.dim() != 4 || axes[0].changes() || axes[1].changes()) return {};
    const Resampling &rows = axes[2], &columns = axes[3];
    const std::string mode = mode_of(node), coordinates = coordinates_of(node);
    if (mode == "nearest" && coordinates == "asymmetric" && rounding_of(node) == "floor" &&
        is_doubled_or_kept(rows) && is_doubled_or_kept(columns))
      return at::upsample_nearest2d(x, {rows.to, columns.to});
    const bool corners = coordinates == "align_corners";
    if (mode == "linear" && (corners || coordinates == "half_pixel") &&
        node.integer("exclude_outside", 0) == 0)
      return at::upsample_bilinear2d(x, {rows.to, columns.to}, corners, rows.scale, columns.scale);
    return {};
  }
  /// Other multiples go wrong where 1 / scale is rounded: floor(49 (1 / 49)) is 0.
  static bool is_doubled_or_kept(const Resampling& axis) {
    return !axis.changes() || (axis.scale == 2 && axis.to == 2 * axis.from);
  }
};

CRRM_REGISTER_OPERATOR(Resize);

}  // namespace

}  // namespace crrm
