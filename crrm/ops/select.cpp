// Picking indices of an axis: Slice and Gather.
#include <limits>
#include <numeric>

#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

struct Range {
  int64_t axis, start, count, step;
  int64_t operator[](int64_t i) const { return start + i * step; }
};

/// Positions in `kept_x` of the indices that the kept outputs read.
std::vector<int64_t> renumber(const std::vector<int64_t>& kept_x,
                              const std::vector<int64_t>& kept_y,
                              const std::function<int64_t(int64_t)>& source) {
  std::vector<int64_t> positions;
  for (const int64_t y : kept_y) {
    const auto found = std::lower_bound(kept_x.begin(), kept_x.end(), source(y));
    if (found == kept_x.end() || *found != source(y))
      throw InternalError("an output index stays whose source is removed");
    positions.push_back(found - kept_x.begin());
  }
  return positions;
}

// Slice (ONNX 13): starts, ends, axes, steps are inputs 1 to 4.
// Couples  x[.. i ..] -> y[.. j ..] with y's index j from x's index start + j step
class Slice final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    at::Tensor y = x[0];
    for (const Range& range : ranges(node, x, x[0].sizes().vec())) {
      if (range.step > 0) {
        const int64_t end = range.count == 0 ? range.start : range[range.count - 1] + 1;
        y = y.slice(range.axis, range.start, end, range.step);
      } else {
        const at::TensorOptions where = at::TensorOptions(at::kLong).device(y.device());
        y = pick(y, range.axis, at::arange(range.count, where) * range.step + range.start);
      }
    }
    return {y};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    Tensors inputs{at::Tensor()};
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      inputs.push_back(node.has_input(i) ? labels.content(node.inputs[i]) : at::Tensor());
      if (node.has_input(i) && !inputs.back().defined())
        return freeze_all(node, labels,
                          fmt::format("range known only at run time ({})", describe(node)));
    }
    Shape shape;
    for (int64_t a = 0; a < labels.rank(x); ++a) shape.push_back(labels.extent(x, a));
    std::vector<bool> sliced(shape.size(), false);
    for (const Range& range : ranges(node, inputs, shape)) {
      sliced[static_cast<size_t>(range.axis)] = true;
      const AxisLabels from = labels.axis(x, range.axis), to = labels.axis(y, range.axis);
      for (int64_t i = 0; i < range.count; ++i) labels.merge(from[range[i]], to[i]);
      if (!is_fixed(node, labels))
        labels.freeze(x, range.axis,
                      fmt::format("range computed at run time ({})", describe(node)));
    }
    for (int64_t a = 0; a < labels.rank(x); ++a)
      if (!sliced[static_cast<size_t>(a)]) labels.merge(x, a, y, a);
  }

  /// A shrunk axis keeps a plain range where what stays is evenly spaced; else it becomes a Gather.
  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const std::string x = node.inputs[0], y = node.outputs[0];
    Shape shape;
    for (int64_t a = 0; a < shrinkage.rank(x); ++a) shape.push_back(shrinkage.extent(x, a));
    Tensors inputs{at::Tensor()};
    bool changes = false;
    for (size_t i = 1; i < node.inputs.size(); ++i)
      inputs.push_back(node.has_input(i) && shrinkage.is_constant(node.inputs[i])
                           ? at::tensor(shrinkage.integers(node.inputs[i]))
                           : at::Tensor());
    if (!inputs[1].defined()) return;  // computed at run time: frozen
    std::vector<int64_t> starts, ends, axes, steps;
    const auto add = [&](int64_t axis, int64_t start, int64_t end, int64_t step) {
      axes.push_back(axis), starts.push_back(start), ends.push_back(end), steps.push_back(step);
    };
    for (const Range& range : ranges(node, inputs, shape)) {
      if (!shrinkage.shrinks(x, range.axis) && !shrinkage.shrinks(y, range.axis)) {
        add(range.axis, range.start, end_of(range), range.step);
        continue;
      }
      changes = true;
      const std::vector<int64_t> positions =
          renumber(shrinkage.kept(x, range.axis), shrinkage.kept(y, range.axis),
                   [&](int64_t i) { return range[i]; });
      const int64_t step = positions.size() > 1 ? positions[1] - positions[0] : 1;
      const Range even{range.axis, positions.empty() ? 0 : positions[0],
                       static_cast<int64_t>(positions.size()), step};
      bool is_even = true;
      for (int64_t i = 0; i < even.count; ++i)
        is_even &= even[i] == positions[static_cast<size_t>(i)];
      if (is_even)
        add(range.axis, even.start, end_of(even), step);
      else
        append_gather(node, shrinkage, range.axis, positions);
    }
    if (!changes) return;
    shrinkage.set_input(node, 1, starts);
    shrinkage.set_input(node, 2, ends);
    shrinkage.set_input(node, 3, axes);
    shrinkage.set_input(node, 4, steps);
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i > 0; }

 private:
  static bool is_fixed(const Node& node, const Labels& labels) {
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (node.has_input(i) && !labels.is_constant(node.inputs[i])) return false;
    return true;
  }

  /// ONNX: with a negative step the end is exclusive downwards, and "before index 0" is written as
  /// a number below -extent.
  static int64_t end_of(const Range& range) {
    const int64_t end = range[range.count];
    return end < 0 ? std::numeric_limits<int32_t>::min() : end;
  }

  static void append_gather(Node& node, Shrinkage& shrinkage, int64_t axis,
                            const std::vector<int64_t>& positions) {
    Node gather{.op = "Gather",
                .name = node.name + ".kept",
                .domain = "",
                .inputs = {"", ""},
                .outputs = {},
                .attributes = {{"axis", axis}}};
    shrinkage.set_input(gather, 1, positions);
    shrinkage.append(node, gather);
  }

  static std::vector<Range> ranges(const Node& node, const Tensors& x, const Shape& shape) {
    const std::vector<int64_t> starts = to_integers(x.at(1)), ends = to_integers(x.at(2));
    std::vector<int64_t> axes(starts.size()), steps(starts.size(), 1);
    std::iota(axes.begin(), axes.end(), int64_t{0});
    if (x.size() > 3 && x[3].defined()) axes = to_integers(x[3]);
    if (x.size() > 4 && x[4].defined()) steps = to_integers(x[4]);
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size())
      throw InputError({.place = describe(node),
                        .expected = "as many starts as ends, axes and steps",
                        .found = "different numbers"});
    std::vector<Range> result;
    for (size_t i = 0; i < starts.size(); ++i) {
      const int64_t axis = normal_axis(node, axes[i], static_cast<int64_t>(shape.size()));
      result.push_back(
          clamp(node, axis, shape[static_cast<size_t>(axis)], starts[i], ends[i], steps[i]));
    }
    return result;
  }

  static Range clamp(const Node& node, int64_t axis, int64_t extent, int64_t start, int64_t end,
                     int64_t step) {
    if (step == 0)
      throw InputError({.place = describe(node), .expected = "a step other than 0", .found = "0"});
    if (start < 0) start += extent;
    if (end < 0) end = end < -extent ? -1 : end + extent;
    if (step > 0) {
      start = std::clamp<int64_t>(start, 0, extent);
      end = std::clamp<int64_t>(end, 0, extent);
      return {axis, start, std::max<int64_t>(0, (end - start + step - 1) / step), step};
    }
    start = std::clamp<int64_t>(start, -1, extent - 1);
    end = std::clamp<int64_t>(end, -1, extent - 1);
    return {axis, start, std::max<int64_t>(0, (end - start + step + 1) / step), step};
  }
};

// Gather (ONNX 13): y = x with the axis replaced by the indices' axes.
// Couples  x[a i b], indices[j] -> y[a j b], with y's j from x's index indices[j];
//          a table looked up with data as indices: x[v d], tokens[n t] -> y[n t d], v frozen
class Gather final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), x[0].dim());
    const int64_t extent = x[0].size(axis);
    at::Tensor indices = x[1];
    if (!indices.is_meta()) {  // negative ones count from the end
      indices = indices.to(at::kLong);
      indices = at::where(indices < 0, indices + extent, indices);
    }
    Shape shape = x[0].sizes().vec();
    shape.erase(shape.begin() + axis);
    shape.insert(shape.begin() + axis, x[1].sizes().begin(), x[1].sizes().end());
    return {pick(x[0], axis, indices.flatten()).reshape(shape)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &indices = node.inputs[1], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), labels.rank(x));
    const int64_t inserted = labels.rank(indices);
    for (int64_t a = 0; a < labels.rank(x); ++a)
      if (a != axis) labels.merge(x, a, y, a < axis ? a : a - 1 + inserted);
    for (int64_t a = 0; a < inserted; ++a) labels.merge(indices, a, y, axis + a);
    const bool one_axis = labels.is_constant(indices) && inserted == 1;
    if (!one_axis) {
      labels.freeze(x, axis, fmt::format("looked up by index ({})", describe(node)));
      for (int64_t a = 0; a < inserted; ++a)
        labels.freeze(indices, a, fmt::format("looks up by index ({})", describe(node)));
      return;
    }
    const AxisLabels from = labels.axis(x, axis), to = labels.axis(y, axis);
    // What is picked from an axis that stays whole may be dropped: the source does not notice.
    if (labels.frozen(from)) return;
    const std::vector<int64_t> picked = to_integers(labels.content(indices));
    for (int64_t j = 0; j < to.extent; ++j)
      labels.merge(from[picked[static_cast<size_t>(j)] +
                        (picked[static_cast<size_t>(j)] < 0 ? from.extent : 0)],
                   to[j]);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    const std::string &x = node.inputs[0], &indices = node.inputs[1], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), shrinkage.rank(x));
    if (shrinkage.rank(indices) != 1 || !shrinkage.is_constant(indices)) return;
    if (!shrinkage.shrinks(x, axis) && !shrinkage.shrinks(y, axis)) return;
    const std::vector<int64_t> picked = shrinkage.integers(indices);
    const int64_t extent = shrinkage.extent(x, axis);
    shrinkage.set_input(node, 1,
                        renumber(shrinkage.kept(x, axis), shrinkage.kept(y, axis), [&](int64_t j) {
                          const int64_t i = picked[static_cast<size_t>(j)];
                          return i < 0 ? i + extent : i;
                        }));
  }

  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool learns(size_t i) const override { return i == 0; }
};

CRRM_REGISTER_OPERATOR(Slice);
CRRM_REGISTER_OPERATOR(Gather);

}  // namespace

}  // namespace crrm
