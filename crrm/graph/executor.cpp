#include "crrm/graph/executor.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <unordered_set>

#include "crrm/base/error.h"

namespace crrm {

namespace {

void refuse_unknown_operators(const Graph& graph) {
  std::vector<std::string> unknown;
  for (const Node& node : graph.nodes)
    for (const Node* found : unknown_operators(node)) unknown.push_back(describe(*found));
  if (unknown.empty()) return;
  throw InputError(
      {.place = unknown.front(),
       .expected = "operators that crrm can run",
       .found = fmt::format("{} unknown: {}", unknown.size(), fmt::join(unknown, ", ")),
       .hint = "crrm inspect shows what can be shrunk all the same"});
}

/// Brings what a step computes with to one device. Shapes are computed on the CPU, and may meet
/// data that are not there. What decides a shape stays where it is.
void bring_together(const Operator& op, Tensors& arguments) {
  const auto computes = [&](size_t i) {
    return arguments[i].defined() && !op.shape_depends_on_value(i);
  };
  at::Device device = at::kCPU;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (computes(i) && !arguments[i].is_cpu()) device = arguments[i].device();
  if (device.is_cpu()) return;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (computes(i)) arguments[i] = arguments[i].to(device, /*non_blocking=*/true);
}

}  // namespace

Graph to(const Graph& graph, at::Device device) {
  std::unordered_set<std::string> computed_with;
  for (const Node& node : graph.nodes) {
    const Operator* op = find_operator(node);
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (op == nullptr || !node.graphs().empty() || !op->shape_depends_on_value(i))
        computed_with.insert(node.inputs[i]);
  }
  const at::NoGradGuard no_grad;
  Graph moved = graph;
  for (auto& [name, tensor] : moved.parameters)
    tensor = tensor.to(computed_with.contains(name) ? device : at::Device(at::kCPU));
  return moved;
}

void synchronize(at::Device device) {
  if (!device.is_cpu())
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

Executor::Executor(const Graph& graph) {
  refuse_unknown_operators(graph);
  for (const auto& [name, tensor] : graph.parameters) {
    constants_[slot(name)] = tensor;
    if (!tensor.is_cpu()) device_ = tensor.device();
  }
  for (const Port& port : graph.inputs) inputs_.push_back(slot(port.name));
  for (const Node& node : graph.nodes) {
    Step step{
        .op = find_operator(node), .node = node, .inputs = {}, .outputs = {}, .last_read = {}};
    for (const std::string& name : node.inputs)
      step.inputs.push_back(name.empty() ? kAbsent : slot(name));
    for (const std::string& name : node.outputs)
      step.outputs.push_back(name.empty() ? kAbsent : slot(name));
    steps_.push_back(std::move(step));
  }
  for (const Port& port : graph.outputs) outputs_.push_back(slot(port.name));
  mark_last_reads();
}

int Executor::slot(const std::string& value) {
  const auto [found, added] = slots_.emplace(value, static_cast<int>(slots_.size()));
  if (added) constants_.emplace_back();
  return found->second;
}

void Executor::mark_last_reads() {
  std::unordered_set<int> read_later(outputs_.begin(), outputs_.end());
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
    for (const std::vector<int>& slots : {step->inputs, step->outputs})
      for (const int s : slots)
        if (s != kAbsent && read_later.insert(s).second) step->last_read.push_back(s);
}

Tensors Executor::run(const Tensors& inputs, bool training) const {
  if (inputs.size() != inputs_.size())
    throw InputError({.place = "network",
                      .expected = fmt::format("{} inputs", inputs_.size()),
                      .found = fmt::format("{}", inputs.size())});
  Tensors values = constants_;
  for (size_t i = 0; i < inputs.size(); ++i)
    values[inputs_[i]] = device_ ? inputs[i].to(*device_, /*non_blocking=*/true) : inputs[i];
  Tensors arguments;
  for (const Step& step : steps_) {
    arguments.clear();
    for (const int s : step.inputs) arguments.push_back(s == kAbsent ? at::Tensor() : values[s]);
    bring_together(*step.op, arguments);
    Tensors outputs;
    try {
      outputs = step.op->forward(step.node, arguments, training);
    } catch (const c10::OutOfMemoryError&) {
      throw;  // nothing is wrong with the node
    } catch (const c10::Error& error) {
      throw InputError({.place = describe(step.node),
                        .expected = "inputs that fit the operator",
                        .found = error.what_without_backtrace()});
    }
    arguments.clear();
    for (size_t i = 0; i < step.outputs.size() && i < outputs.size(); ++i)
      if (step.outputs[i] != kAbsent) values[step.outputs[i]] = std::move(outputs[i]);
    for (const int s : step.last_read) values[s].reset();
  }
  Tensors results;
  for (const int s : outputs_) results.push_back(values[s]);
  return results;
}

}  // namespace crrm
