// Operators that move blocks: between channels and positions, and by repeating them.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// Extents of an image [N, C, H, W] and the edge b of its blocks.
struct Blocks {
  int64_t samples, channels, height, width, edge;
};

Blocks blocks(const Node& node, const at::Tensor& x) {
  if (x.dim() != 4)
    throw InputError({.place = describe(node),
                      .expected = "an input of rank 4",
                      .found = fmt::format("rank {}", x.dim())});
  return {x.size(0), x.size(1), x.size(2), x.size(3), node.integer("blocksize")};
}

void refuse_unless_divisible(const Node& node, const char* what, int64_t extent, int64_t by) {
  if (by < 1 || extent % by != 0)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("{} divisible into blocks of {}", what, by),
                      .found = fmt::format("{}", extent)});
}

/// Merges channel c of `small` with the channel of `large` at each of the b*b places in its block:
/// depth first (DCR) place k is channel k C + c, columns first (CRD) it is channel c b*b + k.
void couple_blocks(const Node& node, Labels& labels, const std::string& small,
                   const std::string& large, bool depth_first) {
  labels.merge(small, 0, large, 0);
  const AxisLabels few = labels.axis(small, 1), many = labels.axis(large, 1);
  const int64_t places = many.extent / few.extent;
  for (int64_t c = 0; c < few.extent; ++c)
    for (int64_t k = 0; k < places; ++k)
      labels.merge(few[c], many[depth_first ? k * few.extent + c : c * places + k]);
  for (const std::string& value : {small, large})
    for (int64_t a = 2; a < 4; ++a)
      labels.freeze(value, a, fmt::format("positions, not channels ({})", describe(node)),
                    Frozen::position);
}

// DepthToSpace (ONNX 13): y[n, c, h b + i, w b + j] = x[n, k, h, w] with
//   k = (i b + j) C + c in mode DCR,   k = (c b + i) b + j in mode CRD, C channels in y.
// Couples  x[n k s] -> y[n c s'], the b*b channels k of each c with it
class DepthToSpace final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const auto [n, c, h, w, b] = blocks(node, x[0]);
    refuse_unless_divisible(node, "channels", c, b * b);
    const at::Tensor y =
        is_depth_first(node)
            ? x[0].reshape({n, b, b, c / (b * b), h, w}).permute({0, 3, 4, 1, 5, 2})
            : x[0].reshape({n, c / (b * b), b, b, h, w}).permute({0, 1, 4, 2, 5, 3});
    return {y.reshape({n, c / (b * b), h * b, w * b})};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_blocks(node, labels, node.outputs[0], node.inputs[0], is_depth_first(node));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only

 private:
  static bool is_depth_first(const Node& node) {
    const std::string mode = node.text("mode", "DCR");
    if (mode != "DCR" && mode != "CRD")
      throw InputError({.place = describe(node), .expected = "mode DCR or CRD", .found = mode});
    return mode == "DCR";
  }
};

// SpaceToDepth (ONNX 13): y[n, (i b + j) C + c, h, w] = x[n, c, h b + i, w b + j].
// Couples  x[n c s] -> y[n k s'], the b*b channels k of each c with it
class SpaceToDepth final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const auto [n, c, h, w, b] = blocks(node, x[0]);
    refuse_unless_divisible(node, "rows", h, b);
    refuse_unless_divisible(node, "columns", w, b);
    const at::Tensor y = x[0].reshape({n, c, h / b, b, w / b, b}).permute({0, 3, 5, 1, 2, 4});
    return {y.reshape({n, c * b * b, h / b, w / b})};
  }
  void couple(const Node& node, Labels& labels) const override {
    couple_blocks(node, labels, node.inputs[0], node.outputs[0], /*depth_first=*/true);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// Tile (ONNX 13): x repeated whole along each axis as often as input 1 says. The copies of an axis
// of extent 1 are as many as are read: they may go one by one, and x stays.
// Couples  x[.. i ..] -> y[.. m I + i ..] for every repetition m, I the extent of x
class Tile final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const std::vector<int64_t> repeats = to_integers(x[1]);
    if (static_cast<int64_t>(repeats.size()) != x[0].dim())
      throw InputError({.place = describe(node),
                        .expected = fmt::format("{} repeats, one an axis", x[0].dim()),
                        .found = fmt::format("{}", repeats.size())});
    Shape single, copied, joined;  // [1, e, ...], [r, e, ...], [r e, ...]
    for (size_t a = 0; a < repeats.size(); ++a) {
      const int64_t extent = x[0].size(static_cast<int64_t>(a));
      single.insert(single.end(), {1, extent});
      copied.insert(copied.end(), {repeats[a], extent});
      joined.push_back(repeats[a] * extent);
    }
    return {x[0].reshape(single).expand(copied).reshape(joined)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    if (!labels.is_constant(node.inputs[1]))
      return freeze_all(node, labels,
                        fmt::format("repeats computed at run time ({})", describe(node)));
    for (int64_t a = 0; a < labels.rank(x); ++a) {
      const AxisLabels from = labels.axis(x, a), to = labels.axis(y, a);
      if (copies_of_one(from.extent, to.extent)) {
        labels.freeze(x, a, fmt::format("one index that is repeated ({})", describe(node)));
        continue;
      }
      for (int64_t i = 0; i < to.extent; ++i) labels.merge(from[i % from.extent], to[i]);
    }
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    if (!shrinkage.is_constant(node.inputs[1])) return;
    std::vector<int64_t> repeats = shrinkage.integers(node.inputs[1]);
    bool changes = false;
    for (int64_t a = 0; a < shrinkage.rank(x); ++a) {
      if (!copies_of_one(shrinkage.extent(x, a), shrinkage.extent(y, a))) continue;
      if (!shrinkage.shrinks(y, a)) continue;
      repeats[static_cast<size_t>(a)] = static_cast<int64_t>(shrinkage.kept(y, a).size());
      changes = true;
    }
    if (changes) shrinkage.set_input(node, 1, repeats);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }

 private:
  static bool copies_of_one(int64_t from, int64_t to) { return from == 1 && to != 1; }
};

CRRM_REGISTER_OPERATOR(DepthToSpace);
CRRM_REGISTER_OPERATOR(SpaceToDepth);
CRRM_REGISTER_OPERATOR(Tile);

}  // namespace

}  // namespace crrm
