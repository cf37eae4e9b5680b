// Sampling at places that are data.
#include "crrm/base/error.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// The place of an attribute's value among those that are allowed, in ATen's order.
int64_t choice(const Node& node, const char* key, const char* fallback,
               const std::vector<std::string>& allowed) {
  const std::string value = node.text(key, fallback);
  const auto found = std::find(allowed.begin(), allowed.end(), value);
  if (found == allowed.end())
    throw InputError({.place = describe(node),
                      .expected = fmt::format("{} {}", key, fmt::join(allowed, ", ")),
                      .found = value});
  return found - allowed.begin();
}

// GridSample (ONNX 20): y[n c s'] is x[n c .] at the place grid[n s'], of as many coordinates as x
// has spatial axes, from -1 to 1.
// Couples  x[n c s], grid[n s' d] -> y[n c s'], s, s' and d frozen
class GridSample final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t spatial = x[0].dim() - 2;
    if (spatial != 2 && spatial != 3)
      throw InputError({.place = describe(node),
                        .expected = "2 or 3 spatial axes",
                        .found = fmt::format("{}", spatial)});
    const int64_t mode =
        choice(node, "mode", "linear",
               spatial == 2 ? std::vector<std::string>{"linear", "nearest", "cubic"}
                            : std::vector<std::string>{"linear", "nearest"});
    const int64_t padding =
        choice(node, "padding_mode", "zeros", {"zeros", "border", "reflection"});
    const bool corners = node.integer("align_corners", 0) != 0;
    if (x[0].is_meta()) {
      Shape shape{x[0].size(0), x[0].size(1)};
      for (int64_t a = 1; a <= spatial; ++a) shape.push_back(x[1].size(a));
      return {at::empty(shape, x[0].options())};
    }
    return {spatial == 2 ? at::grid_sampler_2d(x[0], x[1], mode, padding, corners)
                         : at::grid_sampler_3d(x[0], x[1], mode, padding, corners)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &grid = node.inputs[1], &y = node.outputs[0];
    labels.merge(x, 0, y, 0);
    labels.merge(grid, 0, y, 0);
    labels.merge(x, 1, y, 1);
    const std::string reason = fmt::format("positions, not channels ({})", describe(node));
    for (int64_t a = 2; a < labels.rank(x); ++a) {
      labels.freeze(x, a, reason, Frozen::position);
      labels.freeze(y, a, reason, Frozen::position);
    }
    for (int64_t a = 1; a < labels.rank(grid); ++a)
      labels.freeze(grid, a, reason, Frozen::position);
  }

  /// The weights are no parameters, and a position has few of them.
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }
};

CRRM_REGISTER_OPERATOR(GridSample);

}  // namespace

}  // namespace crrm
