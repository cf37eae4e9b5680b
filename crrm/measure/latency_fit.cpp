// Times the operators of a network at several widths (latency_model.h).
#include <ATen/core/grad_mode.h>

#include <limits>
#include <numeric>
#include <set>

#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/coupling/subsets.h"
#include "crrm/graph/executor.h"
#include "crrm/graph/shapes.h"
#include "crrm/measure/latency.h"
#include "crrm/measure/latency_model.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/measure/threads.h"

namespace crrm {

namespace {

using std::chrono::nanoseconds;

constexpr int kCopies = 4;
constexpr int kRounds = 3;

/// What an axis of a coupling can shrink to: its indices in the order in which closures leave it.
class WidthsOfAxis {
 public:
  WidthsOfAxis(const std::vector<int>& units, const std::vector<int>& closure_of) {
    std::map<int, std::vector<int64_t>> by_closure;
    for (size_t i = 0; i < units.size(); ++i) {
      const int64_t index = static_cast<int64_t>(i);
      if (units[i] == Coupling::kStays)
        order_.push_back(index);
      else
        by_closure[closure_of[static_cast<size_t>(units[i])]].push_back(index);
    }
    if (!order_.empty()) widths_.push_back(static_cast<int64_t>(order_.size()));
    for (const auto& [closure, indices] : by_closure) {
      order_.insert(order_.end(), indices.begin(), indices.end());
      widths_.push_back(static_cast<int64_t>(order_.size()));
    }
  }

  /// All that can occur, ascending.
  const std::vector<int64_t>& widths() const { return widths_; }
  /// Ascending. @param width  one of widths()
  std::vector<int64_t> indices(int64_t width) const {
    std::vector<int64_t> kept(order_.begin(), order_.begin() + width);
    std::sort(kept.begin(), kept.end());
    return kept;
  }

 private:
  std::vector<int64_t> order_, widths_;
};

/// A contraction at its full widths.
struct Contraction {
  Node node;
  std::map<std::string, at::Tensor> inputs;  ///< values and parameters that it reads
  std::vector<int> axes;                     ///< into Coupling::axes()
  std::vector<LatencyModel::Place> places;   ///< of these axes
};

/// The graphs to time of one contraction, and what they took so far.
struct Bench {
  Contraction contraction;
  std::vector<std::vector<int64_t>> widths;  ///< by axis
  std::vector<double> one, several;          ///< [product of their numbers], ns
};

/// One node at smaller widths as a network: `body` alone, or several of it side by side.
class Sample {
 public:
  Sample(const Contraction& contraction, const Coupling& coupling,
         const std::map<int, std::vector<int64_t>>& kept);

  Graph copies(int count) const;
  const Tensors& inputs() const { return inputs_; }

 private:
  Graph body_;
  Tensors inputs_;
};

/// By axis what stays of a tensor. @param kept  by axis of the coupling the indices that stay
std::vector<KeptAxis> kept_axes(const std::string& value, at::IntArrayRef sizes,
                                const Coupling& coupling,
                                const std::map<int, std::vector<int64_t>>& kept) {
  std::vector<KeptAxis> axes;
  for (size_t a = 0; a < sizes.size(); ++a) {
    const AxisRef ref = coupling.axis_of(value, static_cast<int64_t>(a));
    if (const auto found = kept.find(ref.axis); found != kept.end()) {
      axes.push_back({found->second, ref.blocks});
      continue;
    }
    std::vector<int64_t> all(static_cast<size_t>(sizes[a]));
    std::iota(all.begin(), all.end(), int64_t{0});
    axes.push_back({std::move(all)});
  }
  return axes;
}

Sample::Sample(const Contraction& contraction, const Coupling& coupling,
               const std::map<int, std::vector<int64_t>>& kept) {
  body_.name = contraction.node.name;
  Shrinkage::Kept of_values;
  for (const auto& names : {contraction.node.inputs, contraction.node.outputs})
    for (const std::string& value : names)
      if (coupling.shapes().contains(value))
        of_values[value] = kept_axes(value, coupling.shapes().at(value), coupling, kept);
  for (const auto& [name, tensor] : contraction.inputs) {
    const at::Tensor part = take(tensor, kept_axes(name, tensor.sizes(), coupling, kept));
    if (coupling.graph().is_parameter(name)) {
      body_.parameters[name] = part;
    } else {
      body_.inputs.push_back({name, part.scalar_type(), part.sizes().vec(),
                              std::vector<std::string>(static_cast<size_t>(part.dim()))});
      inputs_.push_back(part);
    }
  }
  Shrinkage shrinkage(body_, coupling.shapes(), std::move(of_values));
  Node node = contraction.node;
  get_operator(node).shrink(node, shrinkage);
  body_.nodes.push_back(std::move(node));
  for (Node& next : shrinkage.take_appended()) body_.nodes.push_back(std::move(next));
  for (const std::string& output : contraction.node.outputs)
    if (!output.empty()) body_.outputs.push_back({output, at::kFloat, {}, {}});
  const Tensors results = Executor(body_).run(inputs_);
  for (size_t i = 0; i < results.size(); ++i)
    body_.outputs[i] = {body_.outputs[i].name, results[i].scalar_type(), results[i].sizes().vec(),
                        std::vector<std::string>(static_cast<size_t>(results[i].dim()))};
}

Graph Sample::copies(int count) const {
  Graph graph;
  graph.name = body_.name;
  graph.inputs = body_.inputs;
  std::set<std::string> shared;
  for (const Port& port : body_.inputs) shared.insert(port.name);
  for (int c = 0; c < count; ++c) {
    const auto own = [&](const std::string& name) {
      return name.empty() || shared.contains(name) ? name : fmt::format("{}#{}", name, c);
    };
    for (const auto& [name, tensor] :
         body_.parameters)  // unlike each other: nothing is computed once
      graph.parameters[own(name)] =
          tensor.is_floating_point() ? tensor * (1 + c / static_cast<double>(kCopies)) : tensor;
    for (Node node : body_.nodes) {
      node.name = own(node.name);
      for (std::string& input : node.inputs) input = own(input);
      for (std::string& output : node.outputs) output = own(output);
      graph.nodes.push_back(std::move(node));
    }
    for (Port port : body_.outputs) {
      port.name = own(port.name);
      graph.outputs.push_back(std::move(port));
    }
  }
  if (body_.outputs.size() != 1) return graph;
  // One output: results meet in a sum, as they would in the network, and need not leave it.
  std::string sum = graph.outputs[0].name;
  for (int c = 1; c < count; ++c) {
    const std::string next = fmt::format("sum#{}", c);
    graph.nodes.push_back({.op = "Add",
                           .name = next,
                           .domain = "",
                           .inputs = {sum, graph.outputs[static_cast<size_t>(c)].name},
                           .outputs = {next},
                           .attributes = {}});
    sum = next;
  }
  graph.outputs[0].name = sum;
  graph.outputs.resize(1);
  return graph;
}

std::string text(const Attribute& attribute) {
  if (const auto* value = std::get_if<int64_t>(&attribute)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<double>(&attribute)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<std::string>(&attribute)) return *value;
  if (const auto* values = std::get_if<std::vector<int64_t>>(&attribute))
    return fmt::format("{}", fmt::join(*values, " "));
  if (const auto* values = std::get_if<std::vector<double>>(&attribute))
    return fmt::format("{}", fmt::join(*values, " "));
  if (const auto* values = std::get_if<std::vector<std::string>>(&attribute))
    return fmt::format("{}", fmt::join(*values, " "));
  return fmt::format("{}", fmt::ptr(&attribute));  // a tensor or a graph: like no other
}

/// Equal for contractions that take the same time at the same widths.
std::string kind_of(const Bench& bench, const Coupling& coupling) {
  const Node& node = bench.contraction.node;
  std::string kind = fmt::format("{}:{}", node.domain, node.op);
  for (const auto& [key, attribute] : node.attributes)
    kind += fmt::format("; {}={}", key, text(attribute));
  for (const std::string& name : node.inputs) {
    if (name.empty()) {
      kind += "; none";
      continue;
    }
    const at::Tensor& tensor = bench.contraction.inputs.at(name);
    kind += fmt::format("; {}{}[{}]", coupling.graph().is_parameter(name) ? "parameter " : "",
                        c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), " "));
  }
  for (size_t a = 0; a < bench.widths.size(); ++a) {
    const LatencyModel::Place& place = bench.contraction.places[a];
    kind += fmt::format("; {}.{}x{}: {}", place.input, place.axis, place.blocks,
                        fmt::join(bench.widths[a], " "));
  }
  return kind;
}

class Fit {
 public:
  Fit(const Coupling& coupling, const Tensors& inputs, const LatencyFit& fit)
      : coupling_(coupling), fit_(fit) {
    describe_axes();
    std::vector<Contraction> contractions = find_contractions();
    fill_inputs(inputs, contractions);
    for (Contraction& contraction : contractions) add(std::move(contraction));
  }

  LatencyModel run(const std::vector<Graph>& networks, const Tensors& inputs);

 private:
  void describe_axes();
  std::vector<Contraction> find_contractions() const;
  void fill_inputs(const Tensors& inputs, std::vector<Contraction>& contractions) const;
  void add(Contraction contraction);
  void time(Bench& bench, size_t point, nanoseconds patience);
  void time_round(int round, const std::vector<Graph>& networks, const Tensors& inputs,
                  std::vector<double>& whole);
  void least(double& time, const Graph& graph, const Tensors& inputs, nanoseconds patience) const;

  const Coupling& coupling_;
  const LatencyFit& fit_;
  std::vector<WidthsOfAxis> axes_;
  std::vector<Bench> benches_;
  std::map<std::string, size_t> bench_of_kind_;
  std::map<std::string, LatencyModel::Timed> nodes_;
};

void Fit::describe_axes() {
  const size_t units = static_cast<size_t>(coupling_.size());
  const auto sets = closures(coupling_, std::vector<double>(units, 0));
  std::vector<int> closure_of(units);
  for (size_t i = 0; i < sets.size(); ++i)
    for (const int unit : sets[i]) closure_of[static_cast<size_t>(unit)] = static_cast<int>(i);
  for (const std::vector<int>& axis : coupling_.axes()) axes_.emplace_back(axis, closure_of);
}

std::vector<Contraction> Fit::find_contractions() const {
  const auto known = [&](const std::string& value) {
    return value.empty() || coupling_.shapes().contains(value);
  };
  const auto shape = [&](const std::string& value) {
    return value.empty() ? Shape{} : coupling_.shapes().at(value);
  };
  std::vector<Contraction> found;
  for (const Node& node : coupling_.graph().nodes) {
    const Operator* op = find_operator(node);
    if (op == nullptr || !std::all_of(node.inputs.begin(), node.inputs.end(), known) ||
        !std::all_of(node.outputs.begin(), node.outputs.end(), known))
      continue;
    NodeShapes shapes;
    for (const std::string& value : node.inputs) shapes.inputs.push_back(shape(value));
    for (const std::string& value : node.outputs) shapes.outputs.push_back(shape(value));
    if (op->macs(node, shapes) == 0) continue;
    Contraction contraction{node, {}, {}, {}};
    for (size_t i = 0; i < node.inputs.size(); ++i)
      for (size_t a = 0; a < shapes.inputs[i].size(); ++a) {
        const AxisRef ref = coupling_.axis_of(node.inputs[i], static_cast<int64_t>(a));
        const std::vector<int>& axes = contraction.axes;
        if (ref.axis < 0 || std::find(axes.begin(), axes.end(), ref.axis) != axes.end()) continue;
        contraction.axes.push_back(ref.axis);
        contraction.places.push_back({i, a, ref.blocks});
      }
    found.push_back(std::move(contraction));
  }
  return found;
}

/// Runs the network once and keeps what its contractions read.
void Fit::fill_inputs(const Tensors& inputs, std::vector<Contraction>& contractions) const {
  const Graph& network = coupling_.graph();
  std::map<std::string, at::Tensor> values = network.parameters;
  for (size_t i = 0; i < network.inputs.size(); ++i) values[network.inputs[i].name] = inputs.at(i);
  Graph probe = network;
  probe.outputs.clear();
  for (const Contraction& contraction : contractions)
    for (const std::string& value : contraction.node.inputs)
      if (!value.empty() && values.try_emplace(value).second)
        probe.outputs.push_back({value, at::kFloat, {}, {}});
  const Tensors results = Executor(probe).run(inputs);
  for (size_t i = 0; i < results.size(); ++i) values[probe.outputs[i].name] = results[i];
  for (Contraction& contraction : contractions)
    for (const std::string& value : contraction.node.inputs)
      if (!value.empty()) contraction.inputs[value] = values.at(value).detach();
}

void Fit::add(Contraction contraction) {
  // A grid over more than two axes would take too long: their ends alone.
  constexpr size_t kMostAxesWithAlignments = 2;
  const std::string name = contraction.node.name;
  Bench bench{std::move(contraction), {}, {}, {}};
  size_t points = 1;
  for (const int axis : bench.contraction.axes) {
    const std::vector<int64_t>& all = axes_[static_cast<size_t>(axis)].widths();
    bench.widths.push_back(bench.contraction.axes.size() <= kMostAxesWithAlignments
                               ? widths_to_measure(all)
                           : all.size() == 1 ? all
                                             : std::vector<int64_t>{all.front(), all.back()});
    points *= bench.widths.back().size();
  }
  bench.one.assign(points, std::numeric_limits<double>::infinity());
  bench.several = bench.one;
  const auto [entry, added] =
      bench_of_kind_.try_emplace(kind_of(bench, coupling_), benches_.size());
  nodes_[name] = {entry->second, bench.contraction.places};
  if (added) benches_.push_back(std::move(bench));
}

/// The least of the rounds counts, as Statistic::least of runs.
void Fit::least(double& time, const Graph& graph, const Tensors& inputs,
                nanoseconds patience) const {
  throw_if_interrupted();
  time = std::min(time, fit_.time(graph, inputs, patience));
}

void Fit::time(Bench& bench, size_t point, nanoseconds patience) {
  std::map<int, std::vector<int64_t>> kept;
  size_t rest = point;
  for (size_t a = bench.widths.size(); a-- > 0;) {
    const int axis = bench.contraction.axes[a];
    const std::vector<int64_t>& widths = bench.widths[a];
    kept[axis] = axes_[static_cast<size_t>(axis)].indices(widths[rest % widths.size()]);
    rest /= widths.size();
  }
  const Sample sample(bench.contraction, coupling_, kept);
  least(bench.one[point], sample.copies(1), sample.inputs(), patience);
  least(bench.several[point], sample.copies(kCopies), sample.inputs(), patience);
}

/// A tenth of a round's time goes to whole networks, which set the scale. Each other graph gets an
/// equal part of what is left.
void Fit::time_round(int round, const std::vector<Graph>& networks, const Tensors& inputs,
                     std::vector<double>& whole) {
  const nanoseconds for_networks = fit_.budget / (10 * kRounds);
  for (size_t i = 0; i < networks.size(); ++i)
    least(whole[i], networks[i], inputs, for_networks / static_cast<int64_t>(networks.size()));
  const nanoseconds end = steady_time() + fit_.budget / kRounds - for_networks;
  int64_t left = 0;  // graphs
  for (const Bench& bench : benches_) left += 2 * static_cast<int64_t>(bench.one.size());
  for (size_t i = 0; i < benches_.size(); ++i) {
    if (fit_.say)
      fit_.say(fmt::format("latency: round {} of {}, operator {} of {}: {}", round + 1, kRounds,
                           i + 1, benches_.size(), describe(benches_[i].contraction.node)));
    for (size_t point = 0; point < benches_[i].one.size(); ++point, left -= 2)
      time(benches_[i], point, std::max(end - steady_time(), nanoseconds(0)) / left);
  }
}

LatencyModel Fit::run(const std::vector<Graph>& networks, const Tensors& inputs) {
  std::vector<double> whole(networks.size(), std::numeric_limits<double>::infinity());
  const nanoseconds start = steady_time();
  for (int round = 0; round < kRounds; ++round) {
    time_round(round, networks, inputs, whole);
    const nanoseconds spent = steady_time() - start, next = spent / (round + 1);
    if (spent + next > fit_.budget + fit_.budget / 10) break;  // there is no time for another
  }
  std::vector<WidthTable> tables;
  for (const Bench& bench : benches_) {
    std::vector<double> times;
    for (size_t i = 0; i < bench.one.size(); ++i)
      times.push_back(std::max(bench.several[i] - bench.one[i], 0.0) / (kCopies - 1));
    tables.emplace_back(bench.widths, std::move(times));
  }
  LatencyModel model(fit_.setting, std::move(tables), nodes_);
  std::vector<Shape> sample;
  for (const at::Tensor& input : inputs) sample.push_back(input.sizes().slice(1).vec());
  model.calibrate(networks, whole, sample);
  return model;
}

}  // namespace

LatencyFit latency_fit(int threads, int64_t batch) {
  const bool installed = OnnxRuntime::available();
  return {.setting = {.runtime = installed ? "onnxruntime" : "crrm",
                      .threads = threads,
                      .batch = batch},
          .time = timer(threads, Statistic::least)};
}

LatencyModel fit_latency(const Coupling& coupling, const Tensors& inputs,
                         const std::vector<Graph>& networks, const LatencyFit& fit) {
  if (networks.empty()) throw InternalError("a latency model without a network to calibrate on");
  const at::NoGradGuard no_grad;
  const Threads single(1);  // to prepare what is timed
  return Fit(coupling, inputs, fit).run(networks, inputs);
}

}  // namespace crrm
