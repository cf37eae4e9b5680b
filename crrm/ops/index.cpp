// Reading and writing at indices that a tensor holds. What an index points into, and the axes of
// the index tensor that run over pointers, stay whole; all other axes pass.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// Indices as int64, negative ones counted from the end.
at::Tensor wrapped(const at::Tensor& indices, int64_t extent) {
  const at::Tensor wide = indices.to(at::kLong);
  return at::where(wide < 0, wide + extent, wide);
}

/// Positions of the tuples indices[.., m] in a tensor of the m extents, row-major.
at::Tensor flat_positions(const at::Tensor& indices, const Shape& extents) {
  c10::List<std::optional<at::Tensor>> by_axis;
  for (int64_t k = 0; k < indices.size(-1); ++k)
    by_axis.push_back(indices.to(at::kLong).select(-1, k));
  const at::TensorOptions where = at::TensorOptions(at::kLong).device(indices.device());
  return at::index(at::arange(elements(extents), where).view(extents), by_axis).flatten();
}

Shape part(const at::Tensor& x, int64_t first, int64_t last) {
  return x.sizes().slice(static_cast<size_t>(first), static_cast<size_t>(last - first)).vec();
}

/// Index i of the shorter axis with index i of the longer one: what stays of a prefix is a prefix.
void merge_prefix(Labels& labels, const std::string& a, const std::string& b, int64_t axis) {
  const AxisLabels left = labels.axis(a, axis), right = labels.axis(b, axis);
  for (int64_t i = 0; i < std::min(left.extent, right.extent); ++i) labels.merge(left[i], right[i]);
}

void freeze_axes(const Node& node, Labels& labels, const std::string& value, int64_t first,
                 int64_t last) {
  for (int64_t a = first; a < last; ++a)
    labels.freeze(value, a, fmt::format("looked up by index ({})", describe(node)));
}

int64_t batch_axes(const Node& node, int64_t rank) {
  const int64_t count = node.integer("batch_dims", 0);
  if (count < 0 || count >= rank)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("batch_dims from 0 to {}", rank - 1),
                      .found = fmt::format("{}", count)});
  return count;
}

/// Checks the number m of indices in a tuple.
int64_t tuple_length(const Node& node, int64_t length, int64_t most) {
  if (length < 1 || length > most)
    throw InputError({.place = describe(node),
                      .expected = fmt::format("index tuples of length 1 to {}", most),
                      .found = fmt::format("{}", length)});
  return length;
}

// GatherElements (ONNX 13): y[i j k] = x[indices[i j k] j k] (axis = 0).
// Couples  x[a j], indices[i j] -> y[i j], a and i frozen
class GatherElements final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), x[0].dim());
    if (x[0].is_meta()) return {at::empty(x[1].sizes(), x[0].options())};
    return {at::gather(x[0], axis, wrapped(x[1], x[0].size(axis)))};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &indices = node.inputs[1], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), labels.rank(x));
    for (int64_t a = 0; a < labels.rank(x); ++a) {
      if (a == axis) {
        for (const std::string& value : {x, indices, y}) freeze_axes(node, labels, value, a, a + 1);
        continue;
      }
      merge_prefix(labels, x, y, a);
      labels.merge(indices, a, y, a);
    }
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// GatherND (ONNX 13): y[b i r] = x[b indices[b i] r] with tuples of m indices and `batch_dims` axes
// b. Couples  x[b a r], indices[b i m] -> y[b i r], a, i and m frozen
class GatherND final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t batch = batch_axes(node, std::min(x[0].dim(), x[1].dim()));
    const int64_t end = batch + tuple_length(node, x[1].size(-1), x[0].dim() - batch);
    Shape shape = part(x[1], 0, x[1].dim() - 1);
    const Shape rest = part(x[0], end, x[0].dim()), searched = part(x[0], batch, end);
    shape.insert(shape.end(), rest.begin(), rest.end());
    if (x[0].is_meta()) return {at::empty(shape, x[0].options())};
    const int64_t samples = elements(part(x[0], 0, batch)), places = elements(searched);
    const at::Tensor sample =
        at::arange(samples, at::TensorOptions(at::kLong).device(x[1].device())).unsqueeze(1);
    const at::Tensor positions =
        flat_positions(x[1], searched).view({samples, -1}) + sample * places;
    return {x[0].reshape({samples * places, elements(rest)})
                .index_select(0, positions.flatten())
                .reshape(shape)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &indices = node.inputs[1], &y = node.outputs[0];
    const int64_t batch = node.integer("batch_dims", 0), last = labels.rank(indices) - 1;
    const int64_t end = batch + labels.extent(indices, last);
    for (int64_t a = 0; a < batch; ++a) {
      labels.merge(x, a, y, a);
      labels.merge(indices, a, y, a);
    }
    freeze_axes(node, labels, x, batch, end);
    freeze_axes(node, labels, indices, batch, last + 1);
    freeze_axes(node, labels, y, batch, last);
    for (int64_t a = end; a < labels.rank(x); ++a) labels.merge(x, a, y, a - end + last);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// ScatterElements (ONNX 18): y = x, then y[indices[i j k] j k] = updates[i j k] (axis = 0), or the
// sum, product, maximum or minimum with what is there.
// Couples  x[a j], indices[i j], updates[i j] -> y[a j], a and i frozen
class ScatterElements final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t axis = normal_axis(node, node.integer("axis", 0), x[0].dim());
    const std::string reduction = reduction_of(node);
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const at::Tensor indices = wrapped(x[1], x[0].size(axis));
    return {scatter(x[0], axis, indices, x[2], reduction)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", 0), labels.rank(x));
    for (int64_t a = 0; a < labels.rank(x); ++a) {
      if (a == axis) {
        for (const std::string& value : {x, node.inputs[1], node.inputs[2], y})
          freeze_axes(node, labels, value, a, a + 1);
        continue;
      }
      labels.merge(x, a, y, a);
      for (size_t i = 1; i < 3; ++i) merge_prefix(labels, node.inputs[i], y, a);
    }
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only

  static at::Tensor scatter(const at::Tensor& x, int64_t axis, const at::Tensor& indices,
                            const at::Tensor& updates, const std::string& reduction) {
    if (reduction.empty()) return at::scatter(x, axis, indices, updates);
    if (reduction == "sum") return at::scatter_add(x, axis, indices, updates);
    return at::scatter_reduce(x, axis, indices, updates, reduction);
  }

  /// ATen's name of the reduction; empty: what is there is overwritten.
  static std::string reduction_of(const Node& node) {
    static const std::map<std::string, std::string> kNames = {
        {"none", ""}, {"add", "sum"}, {"mul", "prod"}, {"max", "amax"}, {"min", "amin"}};
    const std::string given = node.text("reduction", "none");
    const auto found = kNames.find(given);
    if (found == kNames.end())
      throw InputError({.place = describe(node),
                        .expected = "reduction none, add, mul, max or min",
                        .found = given});
    return found->second;
  }
};

// ScatterND (ONNX 18): y = x, then y[indices[i] r] = updates[i r] with tuples of m indices, or the
// sum, product, maximum or minimum with what is there.
// Couples  x[a r], indices[i m], updates[i r] -> y[a r], a, i and m frozen
class ScatterND final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t length = tuple_length(node, x[1].size(-1), x[0].dim());
    const std::string reduction = ScatterElements::reduction_of(node);
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const Shape searched = part(x[0], 0, length);
    const int64_t rest = elements(part(x[0], length, x[0].dim()));
    const at::Tensor positions = flat_positions(x[1], searched);
    const at::Tensor rows = x[0].reshape({elements(searched), rest});
    const at::Tensor updates = x[2].reshape({positions.numel(), rest});
    const at::Tensor y = ScatterElements::scatter(
        rows, 0, positions.unsqueeze(1).expand_as(updates), updates, reduction);
    return {y.reshape(x[0].sizes())};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &indices = node.inputs[1], &updates = node.inputs[2];
    const int64_t last = labels.rank(indices) - 1, length = labels.extent(indices, last);
    labels.broadcast(x, node.outputs[0]);
    freeze_axes(node, labels, x, 0, length);
    freeze_axes(node, labels, indices, 0, last + 1);
    freeze_axes(node, labels, updates, 0, last);
    for (int64_t a = length; a < labels.rank(x); ++a)
      labels.merge(updates, a - length + last, x, a);
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// OneHot (ONNX 11): y[i d j] = values[1] where indices[i j] is d, values[0] elsewhere; d runs over
// the new `axis` of extent depth.
// Couples  indices[i j] -> y[i d j], d frozen
class OneHot final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const int64_t depth = to_integers(x[1]).at(0);
    const int64_t axis = normal_axis(node, node.integer("axis", -1), x[0].dim() + 1);
    Shape along(static_cast<size_t>(x[0].dim()) + 1, 1), shape = x[0].sizes().vec();
    along[static_cast<size_t>(axis)] = depth;
    shape.insert(shape.begin() + axis, depth);
    if (x[0].is_meta()) return {at::empty(shape, x[2].options())};
    const at::TensorOptions where = at::TensorOptions(at::kLong).device(x[0].device());
    const at::Tensor hot =
        wrapped(x[0], depth).unsqueeze(axis) == at::arange(depth, where).view(along);
    return {at::where(hot, x[2][1], x[2][0])};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &indices = node.inputs[0], &y = node.outputs[0];
    const int64_t axis = normal_axis(node, node.integer("axis", -1), labels.rank(y));
    for (int64_t a = 0; a < labels.rank(y); ++a)
      if (a != axis) labels.merge(indices, a < axis ? a : a - 1, y, a);
    freeze_axes(node, labels, y, axis, axis + 1);
    labels.freeze(node.inputs[2], fmt::format("the two values ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // compares only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

// Trilu (ONNX 14): the upper or lower triangle of the last two axes, from the k-th diagonal on.
// What is kept follows from positions. Couples  x[b i j] -> y[b i j], i and j frozen
class Trilu final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    if (x[0].dim() < 2)
      throw InputError({.place = describe(node),
                        .expected = "an input of rank 2 or more",
                        .found = fmt::format("rank {}", x[0].dim())});
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const int64_t k = x.size() > 1 && x[1].defined() ? to_integers(x[1]).at(0) : 0;
    return {node.integer("upper", 1) != 0 ? at::triu(x[0], k) : at::tril(x[0], k)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string& x = node.inputs[0];
    labels.broadcast(x, node.outputs[0]);
    for (int64_t a = labels.rank(x) - 2; a < labels.rank(x); ++a)
      labels.freeze(x, a, fmt::format("a triangle, by position ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
};

// Compress (ONNX 11): the indices of `axis` at which the condition in input 1 holds; without an
// axis, of all elements in a row. Couples  x[a i b] -> y[a j b], y's j from x's j-th index at which
// the condition holds
class Compress final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const at::Tensor chosen = at::nonzero(x[1].to(at::kBool)).flatten().to(x[0].device());
    if (!node.has("axis")) return {pick(x[0].reshape({x[0].numel()}), 0, chosen)};
    return {pick(x[0], normal_axis(node, node.integer("axis"), x[0].dim()), chosen)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const std::string &x = node.inputs[0], &y = node.outputs[0];
    if (!node.has("axis") || !labels.is_constant(node.inputs[1]))
      return freeze_all(node, labels, fmt::format("chosen by condition ({})", describe(node)));
    const int64_t axis = normal_axis(node, node.integer("axis"), labels.rank(x));
    const std::vector<int64_t> condition = to_integers(labels.content(node.inputs[1]));
    for (int64_t a = 0; a < labels.rank(x); ++a)
      if (a != axis) labels.merge(x, a, y, a);
    int64_t to = 0;
    for (size_t i = 0; i < condition.size(); ++i)
      if (condition[i] != 0)
        labels.merge(labels.axis(x, axis)[static_cast<int64_t>(i)], labels.axis(y, axis)[to++]);
  }
  void shrink(Node& node, Shrinkage& shrinkage) const override {
    if (!node.has("axis") || !shrinkage.is_constant(node.inputs[1])) return;
    const int64_t axis = normal_axis(node, node.integer("axis"), shrinkage.rank(node.inputs[0]));
    if (!shrinkage.shrinks(node.inputs[0], axis)) return;
    const std::vector<int64_t> condition = shrinkage.integers(node.inputs[1]);
    std::vector<int64_t> kept;
    for (const int64_t i : shrinkage.kept(node.inputs[0], axis))
      kept.push_back(i < static_cast<int64_t>(condition.size()) ? condition[static_cast<size_t>(i)]
                                                                : 0);
    shrinkage.set_input(node, 1, at::tensor(kept, at::kLong).to(at::kBool));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only
  bool shape_depends_on_value(size_t i) const override { return i == 1; }
};

// ReverseSequence (ONNX 10): of each sample b the first lengths[b] steps t in reverse order; t and
// b are the first two axes. Couples  x[t b c], lengths[b] -> y[t b c], t frozen
class ReverseSequence final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    const auto [time, batch] = axes(node);
    if (x[0].is_meta()) return {at::empty_like(x[0])};
    const at::Tensor steps = x[0].transpose(0, time);  // [T, B, ..]
    const int64_t samples = steps.size(1);
    const at::TensorOptions where = at::TensorOptions(at::kLong).device(x[0].device());
    const at::Tensor t = at::arange(steps.size(0), where).unsqueeze(1);  // [T, 1]
    const at::Tensor lengths = x[1].to(at::kLong);                       // [B]
    const at::Tensor source = at::where(t < lengths, lengths - 1 - t, t) * samples +
                              at::arange(samples, where);  // [T, B]
    return {steps.flatten(0, 1)
                .index_select(0, source.flatten())
                .view(steps.sizes())
                .transpose(0, time)};
  }
  void couple(const Node& node, Labels& labels) const override {
    const auto [time, batch] = axes(node);
    labels.broadcast(node.inputs[0], node.outputs[0]);
    labels.merge(node.inputs[1], 0, node.inputs[0], batch);
    labels.freeze(node.inputs[0], time, fmt::format("reversed along ({})", describe(node)));
  }
  int64_t macs(const Node&, const NodeShapes&) const override { return 0; }  // moves data only

 private:
  struct Axes {
    int64_t time, batch;
  };
  static Axes axes(const Node& node) {
    const Axes result{node.integer("time_axis", 0), node.integer("batch_axis", 1)};
    if (std::min(result.time, result.batch) != 0 || std::max(result.time, result.batch) != 1)
      throw InputError({.place = describe(node),
                        .expected = "time_axis and batch_axis 0 and 1 or 1 and 0",
                        .found = fmt::format("{} and {}", result.time, result.batch)});
    return result;
  }
};

CRRM_REGISTER_OPERATOR(Compress);
CRRM_REGISTER_OPERATOR(GatherElements);
CRRM_REGISTER_OPERATOR(GatherND);
CRRM_REGISTER_OPERATOR(OneHot);
CRRM_REGISTER_OPERATOR(ReverseSequence);
CRRM_REGISTER_OPERATOR(ScatterElements);
CRRM_REGISTER_OPERATOR(ScatterND);
CRRM_REGISTER_OPERATOR(Trilu);

}  // namespace

}  // namespace crrm
