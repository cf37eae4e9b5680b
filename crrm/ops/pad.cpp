// Padding.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

// Pad (ONNX 19): amounts in input 1 (begin of every axis, then end), value in 2, axes in 3.
// Couples  x[n c h w] -> y[n p+c+q h w]; the p + q new indices are constants of their own (constant
// mode); an axis padded in another mode stays whole
class Pad final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const Amounts pads = amounts(node, x, x[0].dim());
    const std::string mode = node.text("mode", "constant");
    const bool has_value = x.size() > 2 && x[2].defined() && x[2].numel() > 0;
    if (mode != "constant") return {mirrored(node, x[0], pads, mode)};
    std::vector<int64_t> reversed;
    for (size_t a = pads.begin.size(); a-- > 0;)
      reversed.insert(reversed.end(), {pads.begin[a], pads.end[a]});
    const bool is_zero = !has_value || x[2].is_meta();
    return {at::constant_pad_nd(x[0], reversed, is_zero ? at::Scalar(0) : x[2].item())};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string& x = node.inputs[0];
    Tensors inputs{at::Tensor(), labels.content(node.inputs[1]), at::Tensor(), at::Tensor()};
    if (node.has_input(3)) inputs[3] = labels.content(node.inputs[3]);
    if (!inputs[1].defined() || (node.has_input(3) && !inputs[3].defined()))
      return freeze_all(node, labels,
                        fmt::format("amounts known only at run time ({})", describe(node)));
    const Amounts pads = amounts(node, inputs, labels.rank(x));
    const bool constant = node.text("mode", "constant") == "constant";
    for (int64_t a = 0; a < labels.rank(x); ++a)
      couple_axis(node, labels, a, pads.begin[static_cast<size_t>(a)],
                  constant && labels.is_constant(node.inputs[1]));
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    bool changes = false;
    for (int64_t a = 0; a < shrinkage.rank(x); ++a) changes |= shrinkage.shrinks(y, a);
    if (!changes) return;
    Tensors inputs{
        at::Tensor(), at::tensor(shrinkage.integers(node.inputs[1])), at::Tensor(),
        node.has_input(3) ? at::tensor(shrinkage.integers(node.inputs[3])) : at::Tensor()};
    Amounts pads = amounts(node, inputs, shrinkage.rank(x));
    for (int64_t a = 0; a < shrinkage.rank(x); ++a) {
      int64_t &begin = pads.begin[static_cast<size_t>(a)], &end = pads.end[static_cast<size_t>(a)];
      if (!shrinkage.shrinks(y, a)) continue;
      const int64_t first = begin, last = begin + shrinkage.extent(x, a);  // x inside y
      const std::vector<int64_t>& kept = shrinkage.kept(y, a);
      begin = std::count_if(kept.begin(), kept.end(), [&](int64_t i) { return i < first; });
      end = std::count_if(kept.begin(), kept.end(), [&](int64_t i) { return i >= last; });
    }
    std::vector<int64_t> all = pads.begin;
    all.insert(all.end(), pads.end.begin(), pads.end.end());
    shrinkage.set_input(node, 1, all);
    if (node.inputs.size() > 3) node.inputs.resize(3);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1 || i == 3; }

 private:
  struct Amounts {
    std::vector<int64_t> begin, end;  // by axis
  };

  static Amounts amounts(const Node& node, const Tensors& x, int64_t rank) {
    const std::vector<int64_t> given = to_integers(x[1]);
    const std::vector<int64_t> axes =
        x.size() > 3 && x[3].defined() ? to_integers(x[3]) : std::vector<int64_t>{};
    const size_t count = axes.empty() ? static_cast<size_t>(rank) : axes.size();
    if (given.size() != 2 * count)
      throw InputError({.place = describe(node),
                        .expected = fmt::format("{} amounts", 2 * count),
                        .found = fmt::format("{}", given.size())});
    Amounts result{std::vector<int64_t>(static_cast<size_t>(rank), 0),
                   std::vector<int64_t>(static_cast<size_t>(rank), 0)};
    for (size_t i = 0; i < count; ++i) {
      const size_t axis = axes.empty() ? i : static_cast<size_t>(normal_axis(node, axes[i], rank));
      result.begin[axis] = given[i];
      result.end[axis] = given[count + i];
    }
    return result;
  }

  /// Modes reflect, edge and wrap, by the source index of every new one.
  static at::Tensor mirrored(const Node& node, const at::Tensor& x, const Amounts& pads,
                             const std::string& mode) {
    at::Tensor y = x;
    for (int64_t a = 0; a < x.dim(); ++a) {
      const int64_t extent = x.size(a);
      const int64_t first = -pads.begin[static_cast<size_t>(a)];
      const int64_t last = extent + pads.end[static_cast<size_t>(a)];
      if (first == 0 && last == extent) continue;
      std::vector<int64_t> source;
      for (int64_t i = first; i < last; ++i) source.push_back(source_index(node, i, extent, mode));
      y = pick(y, a, at::tensor(source, at::TensorOptions(at::kLong).device(y.device())));
    }
    return y;
  }

  static int64_t source_index(const Node& node, int64_t i, int64_t extent,
                              const std::string& mode) {
    if (mode == "edge") return std::clamp<int64_t>(i, 0, extent - 1);
    if (mode == "wrap") return ((i % extent) + extent) % extent;
    if (mode != "reflect")
      throw InputError({.place = describe(node),
                        .expected = "mode constant, reflect, edge or wrap",
                        .found = mode});
    if (extent == 1) return 0;
    const int64_t period = 2 * (extent - 1);
    const int64_t folded = ((i % period) + period) % period;
    return folded < extent ? folded : period - folded;
  }

  static void couple_axis(const Node& node, Labels& labels, int64_t axis, int64_t begin,
                          bool free) {
    const AxisLabels x = labels.axis(node.inputs[0], axis), y = labels.axis(node.outputs[0], axis);
    const bool padded = begin != 0 || x.extent != y.extent;
    for (int64_t i = 0; i < y.extent; ++i)
      if (i - begin >= 0 && i - begin < x.extent) labels.merge(x[i - begin], y[i]);
    if (!padded) return;
    const bool whole = labels.frozen(x);
    const std::string why = whole ? labels.reason(x[0])
                                  : fmt::format("padded from its own values ({})", describe(node));
    const Frozen kind = whole ? labels.kind(x[0]) : Frozen::width;
    if (whole || !free)
      for (const AxisLabels& labelled : {x, y})
        for (int64_t i = 0; i < labelled.extent; ++i) labels.freeze(labelled[i], why, kind);
  }
};

CRRM_REGISTER_OPERATOR(Pad);

}  // namespace

}  // namespace crrm
