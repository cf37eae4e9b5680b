#include "crrm/surgery/fold.h"

#include <ATen/core/grad_mode.h>

#include <map>

#include "crrm/base/error.h"
#include "crrm/coupling/removal.h"
#include "crrm/graph/operator.h"

namespace crrm {

namespace {

class Folding {
 public:
  Folding(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive)
      : original_(graph), coupling_(coupling), folded_{graph, coupling.kept(alive)} {
    for (const Port& port : graph.outputs) network_outputs_.push_back(port.name);
  }

  Folded run(const std::vector<Fate>& fates) {
    const at::NoGradGuard no_grad;
    folded_.graph.nodes.clear();
    for (size_t n = 0; n < fates.size(); ++n) {
      if (fates[n] == Fate::folds) fold(original_.nodes[n]);
      if (fates[n] == Fate::stays) keep(original_.nodes[n]);
    }
    drop_unread(folded_.graph);
    return std::move(folded_);
  }

 private:
  struct Constant {
    at::Tensor content;     ///< broadcasts to the value that it stands for
    bool depends = false;   ///< on parameters
    std::string parameter;  ///< its name in the graph, once something reads it
  };

  /// A node whose inputs are parameters and constants, or that contracts zeros.
  void fold(const Node& node) {
    const Operator& op = get_operator(node);
    bool reads_constant = false, depends = false;
    Tensors inputs;
    for (const std::string& input : node.inputs) {
      const auto constant = constants_.find(input);
      reads_constant |= constant != constants_.end();
      if (constant != constants_.end()) {
        inputs.push_back(constant->second.content);
        depends |= constant->second.depends;
      } else {
        inputs.push_back(original_.is_parameter(input) ? original_.parameters.at(input).detach()
                                                       : at::Tensor());
        depends |= inputs.back().defined() && !loses_an_axis(input);
      }
    }
    const Tensors outputs =
        reads_constant ? op.forward(node, inputs, /*training=*/false)
                       : Tensors{op.at_zero(node, inputs, coupling_.shapes().at(node.outputs[0]))};
    for (size_t i = 0; i < node.outputs.size(); ++i)
      constants_[node.outputs[i]] = {outputs.at(i), depends, ""};
  }

  bool loses_an_axis(const std::string& value) const {
    const auto found = folded_.kept.find(value);
    return found != folded_.kept.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [](const KeptAxis& axis) { return axis.indices.empty(); });
  }

  void keep(Node node) {
    for (std::string& input : node.inputs)
      if (const auto same = renamed_.find(input); same != renamed_.end()) input = same->second;
    const Operator* op = find_operator(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto constant = constants_.find(node.inputs[i]);
      if (constant == constants_.end()) continue;
      if (leaves_other_as_it_is(*op, node, constant->second)) {
        renamed_[node.outputs[0]] = node.inputs[1 - i];
        return;
      }
      node.inputs[i] = parameter(constant->first, constant->second);
      if (op->learns(i) && op->neutral()) std::swap(node.inputs[0], node.inputs[1]);
    }
    folded_.graph.nodes.push_back(std::move(node));
  }

  bool leaves_other_as_it_is(const Operator& op, const Node& node, const Constant& constant) const {
    const bool is_output = std::find(network_outputs_.begin(), network_outputs_.end(),
                                     node.outputs[0]) != network_outputs_.end();
    return op.neutral() && node.inputs.size() == 2 && !is_output && !constant.depends &&
           constant.content.eq(*op.neutral()).all().item<bool>();
  }

  const std::string& parameter(const std::string& value, Constant& constant) {
    if (!constant.parameter.empty()) return constant.parameter;
    constant.parameter = original_.fresh_name(value + ".constant");
    folded_.graph.parameters[constant.parameter] = constant.content.contiguous();
    const auto kept = folded_.kept.find(value);
    if (kept == folded_.kept.end()) return constant.parameter;
    std::vector<KeptAxis> axes = kept->second;
    for (size_t a = 0; a < axes.size(); ++a)
      if (constant.content.size(static_cast<int64_t>(a)) == 1) axes[a] = {.indices = {0}};
    folded_.kept[constant.parameter] = std::move(axes);
    return constant.parameter;
  }

  const Graph& original_;
  const Coupling& coupling_;
  Folded folded_;
  std::vector<std::string> network_outputs_;
  std::map<std::string, Constant> constants_;   ///< by value
  std::map<std::string, std::string> renamed_;  ///< values that are another's copy
};

}  // namespace

Folded fold_branches(const Graph& graph, const Coupling& coupling, const std::vector<bool>& alive) {
  const Removal removal(graph, coupling);
  if (!removal.empties(alive)) return {graph, coupling.kept(alive)};
  const Remains remains = removal(alive);
  if (!remains.obstacle.empty()) throw InternalError("nothing stays: " + remains.obstacle);
  return Folding(graph, coupling, alive).run(remains.fates);
}

}  // namespace crrm
