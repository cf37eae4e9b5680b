#include "crrm/coupling/removal.h"

#include <ATen/ExpandUtils.h>
#include <ATen/core/grad_mode.h>

#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/graph/operator.h"

namespace crrm {

namespace {

/// Whether the operator says what it gives at zero, as far as the parameters alone decide.
bool has_rule_at_zero(const Graph& graph, const Coupling& coupling, const Operator& op,
                      const Node& node) {
  if (node.outputs.size() != 1) return false;
  const auto shape = coupling.shapes().find(node.outputs[0]);
  if (shape == coupling.shapes().end()) return false;
  const at::NoGradGuard no_grad;
  Tensors inputs;
  for (const std::string& input : node.inputs)
    inputs.push_back(graph.is_parameter(input) ? graph.parameters.at(input) : at::Tensor());
  return op.at_zero(node, inputs, shape->second).defined();
}

}  // namespace

Removal::Removal(const Graph& graph, const Coupling& coupling) : coupling_(coupling) {
  for (const auto& [name, tensor] : graph.parameters)
    values_[static_cast<size_t>(slot(name))].parameter = true;
  for (const Port& port : graph.inputs) slot(port.name);
  std::unordered_map<std::string, std::vector<int>> contracted;  // by node
  for (const Reader& reader : coupling.readers()) {
    if (reader.inside) continue;
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == reader.node; });
    contracted[reader.node].push_back(
        coupling.axis_of(node->inputs[reader.input], reader.axis).axis);
  }
  std::unordered_map<std::string, std::vector<int>> reading;  // by parameter: nodes
  for (const Node& node : graph.nodes) {
    const int index = static_cast<int>(steps_.size());
    for (const std::string& input : node.inputs)
      if (graph.is_parameter(input)) reading[input].push_back(index);
    Step step = describe_step(node);
    step.contracted = contracted[node.name];
    const Operator* op = find_operator(node);
    step.folds_at_zero =
        op != nullptr && !step.contracted.empty() && has_rule_at_zero(graph, coupling, *op, node);
    steps_.push_back(std::move(step));
  }
  for (const Port& port : graph.outputs) outputs_.push_back(slot(port.name));
  for (const Group& group : coupling.groups()) {
    std::vector<int>& nodes = readers_.emplace_back();
    for (const Member& member : group.members)
      nodes.insert(nodes.end(), reading[member.parameter].begin(), reading[member.parameter].end());
  }
}

int Removal::slot(const std::string& value) {
  const auto [found, added] = slots_.emplace(value, static_cast<int>(values_.size()));
  if (!added) return found->second;
  Value& fresh = values_.emplace_back();
  const auto shape = coupling_.shapes().find(value);
  if (shape == coupling_.shapes().end()) return found->second;
  fresh.shape = shape->second;
  for (size_t a = 0; a < shape->second.size(); ++a)
    if (const int axis = coupling_.axis_of(value, static_cast<int64_t>(a)).axis; axis >= 0)
      fresh.axes.push_back(axis);
  return found->second;
}

Removal::Step Removal::describe_step(const Node& node) {
  Step step;
  step.description = describe(node);
  const Operator* op = find_operator(node);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    step.inputs.push_back(slot(node.inputs[i]));
    step.learned.push_back(op != nullptr && op->learns(i));
  }
  for (const std::string& output : node.outputs)
    if (!output.empty()) step.outputs.push_back(slot(output));
  step.pointwise = op != nullptr && op->pointwise();
  step.commutes = op != nullptr && op->neutral().has_value() && step.inputs.size() == 2;
  return step;
}

std::vector<bool> Removal::empty_axes(const std::vector<bool>& alive) const {
  std::vector<bool> empty;
  for (const std::vector<int>& units : coupling_.axes())
    empty.push_back(std::none_of(units.begin(), units.end(), [&](int unit) {
      return unit == Coupling::kStays || alive[static_cast<size_t>(unit)];
    }));
  return empty;
}

bool Removal::empties(const std::vector<bool>& alive) const {
  const std::vector<bool> empty = empty_axes(alive);
  return std::find(empty.begin(), empty.end(), true) != empty.end();
}

/// What a pointwise operator makes of constants and other inputs.
Removal::State Removal::meet(const Step& step, const std::vector<State>& states) const {
  Shape shape;  // what the values that stay broadcast to
  bool all_given = true;
  for (const int input : step.inputs) {
    const Value& value = values_[static_cast<size_t>(input)];
    if (value.parameter || states[static_cast<size_t>(input)] != State::whole) continue;
    if (!value.shape) return State::undecided;
    all_given = false;
    shape = at::infer_size(shape, *value.shape);
  }
  if (all_given) return State::constant;
  if (shape != values_[static_cast<size_t>(step.outputs[0])].shape) return State::undecided;
  for (size_t i = 0; i < step.inputs.size(); ++i)
    if (states[static_cast<size_t>(step.inputs[i])] == State::constant && step.learned[i] &&
        !step.commutes)
      return State::undecided;  // the constant would be learned
  return State::whole;
}

/// The state of those outputs that have no empty axis.
Removal::State Removal::state_after(const Step& step, const Found& found,
                                    const std::vector<bool>& empty) const {
  const auto any = [&](State state) {
    return std::any_of(step.inputs.begin(), step.inputs.end(), [&](int input) {
      return found.states[static_cast<size_t>(input)] == state;
    });
  };
  if (any(State::empty)) {
    const bool contracts = std::any_of(step.contracted.begin(), step.contracted.end(),
                                       [&](int axis) { return empty[static_cast<size_t>(axis)]; });
    return contracts && step.folds_at_zero ? State::constant : State::undecided;
  }
  if (any(State::undecided)) return State::undecided;
  if (!any(State::constant)) return State::whole;
  return step.pointwise ? meet(step, found.states) : State::undecided;
}

Removal::Found Removal::forward(const std::vector<bool>& empty) const {
  Found found{.states = std::vector<State>(values_.size(), State::whole),
              .culprits = std::vector<int>(values_.size(), -1),
              .fates = {}};
  for (size_t v = 0; v < values_.size(); ++v)
    if (std::any_of(values_[v].axes.begin(), values_[v].axes.end(),
                    [&](int axis) { return empty[static_cast<size_t>(axis)]; }))
      found.states[v] = State::empty;
  const auto is_empty = [&](int value) {
    return found.states[static_cast<size_t>(value)] == State::empty;
  };
  for (size_t n = 0; n < steps_.size(); ++n) {
    const Step& step = steps_[n];
    const auto nothing = std::count_if(step.outputs.begin(), step.outputs.end(), is_empty);
    State state = State::empty;
    if (nothing == 0) state = state_after(step, found, empty);
    if (nothing > 0 && nothing < static_cast<int64_t>(step.outputs.size()))
      state = State::undecided;  // an operator that writes some outputs only
    int culprit = static_cast<int>(n);
    for (const int input : step.inputs)
      if (found.culprits[static_cast<size_t>(input)] >= 0)
        culprit = found.culprits[static_cast<size_t>(input)];
    for (const int output : step.outputs) {
      if (is_empty(output)) continue;
      found.states[static_cast<size_t>(output)] = state;
      if (state == State::undecided) found.culprits[static_cast<size_t>(output)] = culprit;
    }
    found.fates.push_back(state == State::constant ? Fate::folds
                          : state == State::empty  ? Fate::goes
                                                   : Fate::stays);
  }
  return found;
}

/// Nodes that no output of the network needs go.
/// @return the obstacle, or ""
std::string Removal::drop_unread(Found& found) const {
  std::unordered_set<int> needed;
  for (const int output : outputs_) {
    if (found.states[static_cast<size_t>(output)] == State::constant)
      return "an output of the network would be a constant";
    needed.insert(output);
  }
  for (size_t n = steps_.size(); n-- > 0;) {
    const Step& step = steps_[n];
    if (found.fates[n] != Fate::stays) continue;
    const auto read = std::find_if(step.outputs.begin(), step.outputs.end(),
                                   [&](int output) { return needed.contains(output); });
    if (read == step.outputs.end()) {
      found.fates[n] = Fate::goes;
      continue;
    }
    if (const int culprit = found.culprits[static_cast<size_t>(*read)]; culprit >= 0)
      return fmt::format("{} would read a constant, or nothing",
                         steps_[static_cast<size_t>(culprit)].description);
    for (const int input : step.inputs)
      if (found.states[static_cast<size_t>(input)] != State::constant) needed.insert(input);
  }
  return "";
}

Remains Removal::operator()(const std::vector<bool>& alive) const {
  const std::vector<Fate> all(steps_.size(), Fate::stays);
  if (!empties(alive)) return {all, ""};
  Found found = forward(empty_axes(alive));
  if (std::string obstacle = drop_unread(found); !obstacle.empty()) return {all, obstacle};
  return {std::move(found.fates), ""};
}

std::vector<bool> Removal::without_unread(std::vector<bool> alive) const {
  if (!empties(alive)) return alive;
  const std::vector<Fate> fates = (*this)(alive).fates;
  for (size_t g = 0; g < readers_.size(); ++g)
    if (std::all_of(readers_[g].begin(), readers_[g].end(),
                    [&](int node) { return fates[static_cast<size_t>(node)] == Fate::goes; }))
      for (const int unit : coupling_.groups()[g].units) alive[static_cast<size_t>(unit)] = false;
  return alive;
}

}  // namespace crrm
