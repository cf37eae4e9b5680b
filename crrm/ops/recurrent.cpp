// Recurrent networks: a state that a node passes on to itself, step by step.
#include "crrm/base/error.h"
#include "crrm/graph/shrinkage.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

using Activation = at::Tensor (*)(const at::Tensor&);

/// Inputs, by position; C and P are the LSTM's alone.
enum Input : size_t { kX, kW, kR, kB, kLengths, kH, kC, kP };

struct State {
  at::Tensor h, c;  // [N, H]; c: LSTM alone
};

/// What one direction is made of. G: number of gates.
struct Cell {
  at::Tensor input;           // [G H, I]
  at::Tensor recurrent;       // [G H, H]
  at::Tensor input_bias;      // [G H], or undefined
  at::Tensor recurrent_bias;  // [G H], or undefined
  at::Tensor peepholes;       // [3 H], or undefined
  at::Tensor gates;           // [N or 1, H]: multiply the state where it is read; or undefined
  std::vector<Activation> activations;

  /// What the recurrent weight sees of the state.
  at::Tensor read(const at::Tensor& h) const { return gates.defined() ? h * gates : h; }
};

at::Tensor optional(const Tensors& x, size_t i) {
  return i < x.size() ? x[i] : at::Tensor();
}

void expect_shape(const Node& node, const char* name, const at::Tensor& tensor,
                  const Shape& shape) {
  if (!tensor.defined() || tensor.sizes() == at::IntArrayRef(shape)) return;
  throw InputError({.place = describe(node),
                    .expected = fmt::format("{} [{}]", name, fmt::join(shape, ", ")),
                    .found = fmt::format("[{}]", fmt::join(tensor.sizes(), ", "))});
}

Activation activation(const Node& node, const std::string& name) {
  if (name == "Sigmoid") return [](const at::Tensor& x) { return at::sigmoid(x); };
  if (name == "Tanh") return [](const at::Tensor& x) { return at::tanh(x); };
  if (name == "Relu")
    return [](const at::Tensor& x) { return x.is_meta() ? x : at::relu(x); };  // no meta kernel
  throw InputError({.place = describe(node),
                    .expected = "activations among Sigmoid, Tanh, Relu",
                    .found = name});
}

void refuse(const Node& node, const std::string& attribute) {
  throw InputError({.place = describe(node),
                    .expected = fmt::format("no attribute `{}`", attribute),
                    .found = "one that changes what the node computes"});
}

/// Whether `value` is zero whatever its extents are: what an absent initial state stands for.
/// Exporters make the zeros of all layers at once and take slices of them.
bool is_zero(const Graph& graph, const std::string& value) {
  if (const auto constant = graph.parameters.find(value); constant != graph.parameters.end())
    return !at::any(constant->second).item<bool>();
  for (const Node& node : graph.nodes) {
    if (node.outputs[0] != value || !node.domain.empty()) continue;
    if (node.op == "Slice" || node.op == "Expand") return is_zero(graph, node.inputs[0]);
    return node.op == "ConstantOfShape" &&
           (!node.has("value") || !at::any(node.tensor("value")).item<bool>());
  }
  return false;
}

// What RNN, GRU and LSTM (ONNX 14, 22) share. X [T, N, I], or [N, T, I] if `layout` is 1;
// W [D, G H, I], R [D, G H, H], B [D, 2 G H], lengths [N], initial states [D, N, H];
// Y [T, D, N, H], last states [D, N, H]. D is 1 or 2; the second direction, or the only one of
// `reverse`, goes from the last step to the first.
// Couples  X[t n i], W[d g*H+h i], R[d g*H+h h], B[d g*H+h], B[d (G+g)*H+h], initial[d n h]
//          -> Y[t d n h], last[d n h]   for every gate g; t and d frozen
// R contracts the state inside the node. Both directions are slices of the same weights and of Y:
// where there are two, units h of both are one. An initial state of zeros whose extents cannot
// shrink is as good as none, and is dropped where the state shrinks.
class Recurrent : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    check(node, x);
    const bool batch_first = node.integer("layout", 0) == 1;
    const auto swap = [&](const at::Tensor& value) {
      return batch_first && value.defined() ? value.transpose(0, 1) : value;
    };
    const at::Tensor steps = swap(x[kX]);            // [T, N, I]
    const auto initial = [&](size_t i, int64_t d) {  // [N, H]
      const at::Tensor given = swap(optional(x, i));
      // A fill made at run time has a type of its own, whatever the network's is.
      if (given.defined()) return given[d].to(steps.options());
      return at::zeros({steps.size(1), x[kR].size(2)}, steps.options());
    };
    Tensors sequences, last_h, last_c;
    for (int64_t d = 0; d < directions(node); ++d) {
      State state{initial(kH, d), initial(kC, d)};
      const bool backwards = d == 1 || node.text("direction", "forward") == "reverse";
      sequences.push_back(
          run(node, cell(node, x, d), steps, optional(x, kLengths), backwards, state));
      last_h.push_back(state.h);
      last_c.push_back(state.c);
    }
    Tensors y{at::stack(sequences, 1), swap(at::stack(last_h, 0))};
    if (has_cell_) y.push_back(swap(at::stack(last_c, 0)));
    if (batch_first) y[0] = y[0].permute({2, 0, 1, 3});
    return y;
  }

  void couple(const Node& node, Labels& labels) const override {
    const AxisLabels state = labels.axis(node.inputs[kR], 2);
    couple_state(node, labels, state);
    couple_batch(node, labels);
    for (const size_t weight : {kW, kR, kB, kP})
      if (node.has_input(weight))
        labels.freeze(node.inputs[weight], 0, fmt::format("directions ({})", describe(node)));
    labels.contract(node, kX, 2, kW, 2);
    labels.read_inside(node, kR);
  }

  void shrink(Node& node, Shrinkage& shrinkage) const override {
    if (!shrinkage.shrinks(node.inputs[kR], 2)) return;
    const size_t state = shrinkage.kept(node.inputs[kR], 2).size();
    node.attributes["hidden_size"] = static_cast<int64_t>(state);
    for (const size_t initial : {kH, kC})  // one that stays whole is zero (couple_state)
      if (node.has_input(initial) && !shrinkage.shrinks(node.inputs[initial], 2))
        node.inputs[initial].clear();
    while (node.inputs.back().empty()) node.inputs.pop_back();
  }

  int64_t macs(const Node&, const NodeShapes& shapes) const override {
    const Shape &x = shapes.inputs[kX], &weight = shapes.inputs[kW];
    return x[0] * x[1] * elements({weight[0], weight[1]}) * (weight[2] + shapes.inputs[kR].back());
  }

  bool learns(size_t i) const override { return i == kW || i == kR || i == kB || i == kP; }

 protected:
  Recurrent(int64_t gates, std::vector<std::string> activations, bool has_cell)
      : gates_(gates), activations_(std::move(activations)), has_cell_(has_cell) {}

  /// One step of one direction.
  /// @param wx  [N, G H]: what the input weight and its bias make of the step's input
  virtual State step(const Node& node, const Cell& cell, const at::Tensor& wx,
                     const State& state) const = 0;

 private:
  static int64_t directions(const Node& node) {
    const std::string direction = node.text("direction", "forward");
    if (direction == "bidirectional") return 2;
    if (direction == "forward" || direction == "reverse") return 1;
    throw InputError({.place = describe(node),
                      .expected = "direction forward, reverse or bidirectional",
                      .found = direction});
  }

  void check(const Node& node, const Tensors& x) const {
    if (node.has("clip")) refuse(node, "clip");
    if (node.integer("input_forget", 0) != 0) refuse(node, "input_forget");
    if (x[kX].dim() != 3 || x[kR].dim() != 3)
      throw InputError({.place = describe(node),
                        .expected = "X and R with 3 axes",
                        .found = fmt::format("{} and {}", x[kX].dim(), x[kR].dim())});
    const bool batch_first = node.integer("layout", 0) == 1;
    const int64_t d = directions(node), h = x[kR].size(2), n = x[kX].size(batch_first ? 0 : 1);
    const int64_t rows = gates_ * h;
    expect_shape(node, "W", x[kW], {d, rows, x[kX].size(2)});
    expect_shape(node, "R", x[kR].narrow(1, 0, std::min(rows, x[kR].size(1))), {d, rows, h});
    expect_shape(node, "B", optional(x, kB), {d, 2 * rows});
    expect_shape(node, "sequence_lens", optional(x, kLengths), {n});
    const Shape initial = batch_first ? Shape{n, d, h} : Shape{d, n, h};
    expect_shape(node, "initial_h", optional(x, kH), initial);
    expect_shape(node, "initial_c", optional(x, kC), initial);
    expect_shape(node, "P", optional(x, kP), {d, 3 * h});
  }

  Cell cell(const Node& node, const Tensors& x, int64_t d) const {
    const int64_t rows = gates_ * x[kR].size(2), more = x[kR].size(1) - rows;
    Cell cell;
    cell.input = x[kW][d];
    cell.recurrent = x[kR][d].narrow(0, 0, rows);
    if (more > 0) cell.gates = x[kR][d].narrow(0, rows, more);  // from a StateGate
    if (const at::Tensor bias = optional(x, kB); bias.defined()) {
      cell.input_bias = bias[d].narrow(0, 0, rows);
      cell.recurrent_bias = bias[d].narrow(0, rows, rows);
    }
    if (const at::Tensor peepholes = optional(x, kP); peepholes.defined())
      cell.peepholes = peepholes[d];
    for (const std::string& name : activation_names(node, static_cast<size_t>(d)))
      cell.activations.push_back(activation(node, name));
    return cell;
  }

  std::vector<std::string> activation_names(const Node& node, size_t d) const {
    const auto found = node.attributes.find("activations");
    if (found == node.attributes.end()) return activations_;
    const auto* names = std::get_if<std::vector<std::string>>(&found->second);
    const size_t each = activations_.size();
    const size_t expected = each * static_cast<size_t>(directions(node));
    if (names == nullptr || names->size() != expected)
      throw InputError(
          {.place = describe(node),
           .expected = fmt::format("{} activations", expected),
           .found = names == nullptr ? "another type" : fmt::to_string(names->size())});
    const auto first = names->begin() + static_cast<std::ptrdiff_t>(d * each);
    return {first, first + static_cast<std::ptrdiff_t>(each)};
  }

  /// @param steps  [T, N, I]
  /// @param state  before the first step; afterwards that after each sequence's last
  /// @return [T, N, H]; zero after the end of a sequence
  at::Tensor run(const Node& node, const Cell& cell, const at::Tensor& steps,
                 const at::Tensor& lengths, bool backwards, State& state) const {
    const at::Tensor wx = at::linear(steps, cell.input, cell.input_bias);  // [T, N, G H]
    const int64_t count = steps.size(0);
    Tensors sequence(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t t = backwards ? count - 1 - i : i;
      State next = step(node, cell, wx[t], state);
      at::Tensor& y = sequence[static_cast<size_t>(t)];
      y = next.h;
      if (lengths.defined() && !lengths.is_meta()) {            // at::where has no meta kernel
        const at::Tensor running = (lengths > t).unsqueeze(1);  // [N, 1]
        y = at::where(running, next.h, at::zeros_like(next.h));
        next.h = at::where(running, next.h, state.h);
        if (has_cell_) next.c = at::where(running, next.c, state.c);
      }
      state = std::move(next);
    }
    return at::stack(sequence, 0);
  }

  void couple_state(const Node& node, Labels& labels, const AxisLabels& state) const {
    const auto rows = [&](size_t input, int64_t blocks) {
      if (!node.has_input(input)) return;
      const AxisLabels axis = labels.axis(node.inputs[input], 1);
      for (int64_t row = 0; row < blocks * state.extent; ++row)
        labels.merge(axis[row], state[row % state.extent]);
    };
    rows(kW, gates_);
    rows(kR, gates_);
    rows(kB, 2 * gates_);
    rows(kP, 3);
    for (const size_t initial : {kH, kC}) {
      if (!node.has_input(initial)) continue;
      const AxisLabels axis = labels.axis(node.inputs[initial], 2);
      if (!labels.frozen(axis) || !is_zero(labels.graph(), node.inputs[initial]))
        labels.merge(axis, state);
    }
    for (const std::string& y : node.outputs)
      if (!y.empty()) labels.merge(labels.axis(y, labels.rank(y) - 1), state);
  }

  void couple_batch(const Node& node, Labels& labels) const {
    const bool batch_first = node.integer("layout", 0) == 1;
    const AxisLabels batch = labels.axis(node.inputs[kX], batch_first ? 0 : 1);
    const std::string directions = fmt::format("directions ({})", describe(node));
    const std::string positions = fmt::format("steps, not channels ({})", describe(node));
    labels.freeze(node.inputs[kX], batch_first ? 1 : 0, positions);
    if (node.has_input(kLengths)) labels.merge(labels.axis(node.inputs[kLengths], 0), batch);
    const auto couple_states = [&](const std::string& value) {  // [D, N, H] or [N, D, H]
      labels.merge(labels.axis(value, batch_first ? 0 : 1), batch);
      labels.freeze(value, batch_first ? 1 : 0, directions);
    };
    for (const size_t initial : {kH, kC})
      if (node.has_input(initial)) couple_states(node.inputs[initial]);
    for (size_t i = 1; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) couple_states(node.outputs[i]);
    if (const std::string& y = node.outputs[0]; !y.empty()) {  // [T, D, N, H] or [N, T, D, H]
      labels.merge(labels.axis(y, batch_first ? 0 : 2), batch);
      labels.freeze(y, batch_first ? 1 : 0, positions);
      labels.freeze(y, batch_first ? 2 : 1, directions);
    }
  }

  int64_t gates_;
  std::vector<std::string> activations_;  // of one direction, where the node names none
  bool has_cell_;
};

// RNN (ONNX 14):  h' = f(W x + R h + b)
class Rnn final : public Recurrent {
 public:
  Rnn() : Recurrent(1, {"Tanh"}, /*has_cell=*/false) {}

 private:
  State step(const Node&, const Cell& cell, const at::Tensor& wx,
             const State& state) const override {
    const at::Tensor rh = at::linear(cell.read(state.h), cell.recurrent, cell.recurrent_bias);
    return {cell.activations[0](wx + rh), {}};
  }
};

// GRU (ONNX 14), gates in the order z, r, n:
//   z = f(W_z x + R_z h + b_z),  r = f(W_r x + R_r h + b_r),  h' = (1 - z) n + z h
//   n = g(W_n x + b_n + R_n (r h) + c_n),  or  g(W_n x + b_n + r (R_n h + c_n))
//   if `linear_before_reset`
class Gru final : public Recurrent {
 public:
  Gru() : Recurrent(3, {"Sigmoid", "Tanh"}, /*has_cell=*/false) {}

 private:
  State step(const Node& node, const Cell& cell, const at::Tensor& wx,
             const State& state) const override {
    const int64_t size = state.h.size(1);
    const auto recur = [&](const at::Tensor& h, int64_t first, int64_t gates) {
      const at::Tensor weight = cell.recurrent.narrow(0, first * size, gates * size);
      if (!cell.recurrent_bias.defined()) return at::linear(h, weight);
      return at::linear(h, weight, cell.recurrent_bias.narrow(0, first * size, gates * size));
    };
    const auto block = [&](const at::Tensor& values, int64_t gate) {
      return values.narrow(1, gate * size, size);
    };
    const Activation f = cell.activations[0], g = cell.activations[1];
    const bool before_reset = node.integer("linear_before_reset", 0) != 0;
    const at::Tensor h = cell.read(state.h);
    const at::Tensor rh = recur(h, 0, before_reset ? 3 : 2);
    const at::Tensor z = f(block(wx, 0) + block(rh, 0)), r = f(block(wx, 1) + block(rh, 1));
    const at::Tensor n = g(block(wx, 2) + (before_reset ? r * block(rh, 2) : recur(r * h, 2, 1)));
    return {(1 - z) * n + z * state.h, {}};
  }
};

// LSTM (ONNX 14), gates in the order i, o, f, c; peepholes p in the order i, o, f:
//   i = f(W_i x + R_i h + b_i + p_i c),  f likewise,  c' = f c + i g(W_c x + R_c h + b_c)
//   o = f(W_o x + R_o h + b_o + p_o c'),  h' = o h(c')
class Lstm final : public Recurrent {
 public:
  Lstm() : Recurrent(4, {"Sigmoid", "Tanh", "Tanh"}, /*has_cell=*/true) {}

 private:
  State step(const Node&, const Cell& cell, const at::Tensor& wx,
             const State& state) const override {
    const int64_t size = state.h.size(1);
    const at::Tensor sum =
        wx + at::linear(cell.read(state.h), cell.recurrent, cell.recurrent_bias);  // [N, 4 H]
    const auto gate = [&](int64_t g, const at::Tensor& c) {
      const at::Tensor own = sum.narrow(1, g * size, size);
      return cell.activations[0](
          cell.peepholes.defined() ? own + cell.peepholes.narrow(0, g * size, size) * c : own);
    };
    const at::Tensor fresh = cell.activations[1](sum.narrow(1, 3 * size, size));
    const at::Tensor c = gate(2, state.c) * state.c + gate(0, state.c) * fresh;
    return {gate(1, c) * cell.activations[2](c), c};
  }
};

CRRM_REGISTER_OPERATOR_AS(Rnn, RNN);
CRRM_REGISTER_OPERATOR_AS(Gru, GRU);
CRRM_REGISTER_OPERATOR_AS(Lstm, LSTM);

}  // namespace

}  // namespace crrm
