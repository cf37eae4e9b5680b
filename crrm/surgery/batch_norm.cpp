#include "crrm/surgery/batch_norm.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <unordered_set>

#include "crrm/base/error.h"
#include "crrm/graph/executor.h"
#include "crrm/graph/operator.h"

namespace crrm {

namespace {

constexpr double kEpsilon = 1e-5;

bool is(const Node& node, const char* op) {
  return node.op == op && node.domain.empty();
}

/// g / sqrt(v + e) of a BatchNormalization, float64 [C].
at::Tensor scale_of(const Graph& graph, const Node& norm) {
  const auto parameter = [&](size_t i) {
    return graph.parameters.at(norm.inputs[i]).detach().to(at::kDouble);
  };
  return parameter(1) / at::sqrt(parameter(4) + norm.real("epsilon", kEpsilon));
}

void fold_into(Graph& graph, Node& conv, const Node& norm) {
  const auto parameter = [&](const std::string& name) {
    return graph.parameters.at(name).detach().to(at::kDouble);
  };
  const at::Tensor scale = scale_of(graph, norm);
  at::Tensor& weight = graph.parameters.at(conv.inputs[1]);
  const at::ScalarType type = weight.scalar_type();
  const at::Tensor bias = conv.has_input(2) ? parameter(conv.inputs[2]) : at::zeros_like(scale);
  Shape rows(static_cast<size_t>(weight.dim()), 1);
  rows[0] = -1;
  const at::Tensor folded = (bias - parameter(norm.inputs[3])) * scale + parameter(norm.inputs[2]);
  weight = (weight.detach().to(at::kDouble) * scale.view(rows)).to(type);
  const std::string name =
      conv.has_input(2) ? conv.inputs[2] : graph.fresh_name(conv.inputs[1] + ".bias");
  graph.parameters[name] = folded.to(type);
  conv.inputs.resize(3);
  conv.inputs[2] = name;
}

/// Whether the convolution's weight and bias are parameters that nothing else reads.
bool owns_parameters(const Graph& graph, const Node& conv,
                     const std::unordered_map<std::string, std::vector<size_t>>& readers) {
  for (size_t i = 1; i < conv.inputs.size(); ++i)
    if (conv.has_input(i) &&
        (!graph.is_parameter(conv.inputs[i]) || readers.at(conv.inputs[i]).size() > 1))
      return false;
  return true;
}

/// Outputs of the nodes from which an output of the network follows without another weight.
std::unordered_set<std::string> last_layers(const Graph& graph) {
  const auto written = writers(graph);
  std::unordered_set<std::string> seen;
  std::vector<std::string> open;
  for (const Port& port : graph.outputs) open.push_back(port.name);
  while (!open.empty()) {
    const std::string value = open.back();
    open.pop_back();
    const auto found = written.find(value);
    if (found == written.end() || !seen.insert(value).second) continue;
    const Node& node = graph.nodes[found->second];
    const Operator* op = find_operator(node);
    bool weighs = false;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      weighs = weighs || (op != nullptr && op->learns(i) && graph.is_parameter(node.inputs[i]));
    if (!weighs) open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  return seen;
}

}  // namespace

bool has_batch_norm(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return is(node, "BatchNormalization"); });
}

std::vector<std::string> fold_batch_norm(Graph& graph) {
  const auto written = writers(graph);
  const auto read = readers(graph);
  std::unordered_set<std::string> outputs;
  for (const Port& port : graph.outputs) outputs.insert(port.name);
  std::vector<std::string> folded;
  std::unordered_set<std::string> gone;
  for (const Node& norm : graph.nodes) {
    if (!is(norm, "BatchNormalization") || !written.contains(norm.inputs[0])) continue;
    Node& conv = graph.nodes[written.at(norm.inputs[0])];
    if (!is(conv, "Conv") || outputs.contains(norm.inputs[0])) continue;
    if (read.at(norm.inputs[0]).size() > 1 || !owns_parameters(graph, conv, read)) continue;
    fold_into(graph, conv, norm);
    conv.outputs[0] = norm.outputs[0];
    folded.push_back(conv.name);
    gone.insert(norm.name);
  }
  std::erase_if(graph.nodes, [&](const Node& node) { return gone.contains(node.name); });
  drop_unread(graph);
  return folded;
}

std::vector<std::string> folded_convolutions(const Graph& graph) {
  if (has_batch_norm(graph)) return {};
  const std::unordered_set<std::string> last = last_layers(graph);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes)
    if (is(node, "Conv") && node.has_input(2) && !last.contains(node.outputs[0]))
      names.push_back(node.name);
  return names;
}

void unfold_batch_norm(Graph& graph, const std::vector<std::string>& convolutions,
                       const at::Tensor& inputs) {
  const at::NoGradGuard no_grad;
  const std::unordered_set<std::string> wanted(convolutions.begin(), convolutions.end());
  Graph probe = graph;  // the same network with the convolutions' results as outputs
  probe.outputs.clear();
  for (const Node& node : graph.nodes)
    if (wanted.contains(node.name)) probe.outputs.push_back({node.outputs[0], at::kFloat, {}, {}});
  const Tensors results = Executor(probe).run({inputs});
  std::vector<Node> nodes;
  size_t next = 0;
  for (Node conv : graph.nodes) {
    if (!wanted.contains(conv.name)) {
      nodes.push_back(std::move(conv));
      continue;
    }
    const at::Tensor y = results[next++].transpose(0, 1).flatten(1).to(at::kDouble);  // [C, N s]
    const at::Tensor mean = y.mean(1), variance = y.var(1, /*unbiased=*/false);
    const std::string stem = conv.inputs[1] + ".norm";
    const auto add = [&](const char* name, const at::Tensor& value) {
      const std::string full = graph.fresh_name(stem + name);
      graph.parameters[full] = value.to(at::kFloat);
      return full;
    };
    Node norm{.op = "BatchNormalization",
              .name = graph.fresh_name(conv.name + ".norm"),
              .domain = "",
              .inputs = {"", add(".scale", at::sqrt(variance + kEpsilon)), add(".bias", mean),
                         add(".mean", mean), add(".var", variance)},
              .outputs = {conv.outputs[0]},
              .attributes = {{"epsilon", kEpsilon}}};
    conv.outputs[0] = graph.fresh_name(conv.outputs[0] + ".raw");
    norm.inputs[0] = conv.outputs[0];
    nodes.push_back(std::move(conv));
    nodes.push_back(std::move(norm));
  }
  graph.nodes = std::move(nodes);
}

void recalibrate(const Graph& graph, int64_t batches,
                 const std::function<Tensors(int64_t)>& batch) {
  const at::NoGradGuard no_grad;
  Graph probe = graph;  // every normalisation's input is an output
  probe.outputs.clear();
  std::vector<const Node*> norms;
  for (const Node& node : graph.nodes)
    if (is(node, "BatchNormalization")) {
      probe.outputs.push_back({node.inputs[0], at::kFloat, {}, {}});
      norms.push_back(&node);
    }
  if (norms.empty()) return;
  // In training mode each layer normalises by its batch, and passes that on: what the layers behind
  // it will see once its statistics are those of the data.
  const Executor executor(probe);
  std::vector<at::Tensor> means(norms.size()), squares(norms.size());
  for (int64_t b = 0; b < batches; ++b) {
    const Tensors inputs = executor.run(batch(b), /*training=*/true);
    for (size_t n = 0; n < norms.size(); ++n) {
      const at::Tensor x = inputs[n].transpose(0, 1).flatten(1);  // [C, N s]
      const at::Tensor mean = x.mean(1, false, at::kDouble),
                       square = x.square().mean(1, false, at::kDouble);
      means[n] = means[n].defined() ? means[n] + mean : mean;
      squares[n] = squares[n].defined() ? squares[n] + square : square;
    }
  }
  for (size_t n = 0; n < norms.size(); ++n) {
    const at::Tensor mean = means[n] / static_cast<double>(batches);
    graph.parameters.at(norms[n]->inputs[3]).detach().copy_(mean);
    graph.parameters.at(norms[n]->inputs[4])
        .detach()
        .copy_(at::clamp_min(squares[n] / static_cast<double>(batches) - mean.square(), 0));
  }
}

}  // namespace crrm
