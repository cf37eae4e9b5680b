// Network slimming: the scales of BatchNormalization, made sparse by an L1 penalty.
//   S_c = sum of |gamma| over the unit's scales,   loss + lambda sum |gamma| until the budget is
//   met
// The score alone ranks. A unit without such a scale cannot be ranked and goes last.
// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, equation 1 and section 4.
#include <ATen/ATen.h>

#include <limits>

#include "crrm/base/error.h"
#include "crrm/criteria/criterion.h"

namespace crrm {

namespace {

/// The largest of the three that the paper tries (section 4.3): a run here is shorter than theirs.
constexpr double kLambda = 1e-3;

std::vector<std::string> scales(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes)
    if (node.op == "BatchNormalization" && node.domain.empty() &&
        graph.is_parameter(node.inputs[1]))
      names.push_back(node.inputs[1]);
  return names;
}

class BnScale final : public Criterion {
 public:
  explicit BnScale(const LivingNetwork& network) {
    ranked_ = sum(network, [](const at::Tensor& scale) { return at::ones_like(scale); }) > 0;
    if (network.coupling.size() > 0 && !ranked_.any().item<bool>())
      throw InputError({.file = "--method bn-scale",
                        .expected = "units with a BatchNormalization",
                        .found = "none",
                        .hint = "the other methods need none"});
  }

  at::Tensor scores(const LivingNetwork& network) const override {
    const at::Tensor sizes =
        sum(network, [](const at::Tensor& scale) { return scale.detach().abs(); });
    return at::where(ranked_, sizes, std::numeric_limits<double>::max());
  }

  at::Tensor penalty(const LivingNetwork& network) const override {
    at::Tensor total;
    for (const std::string& name : scales(network.graph)) {
      const at::Tensor size = network.graph.parameters.at(name).abs().sum();
      total = total.defined() ? total + size : size;
    }
    return total.defined() ? kLambda * total : total;
  }

 private:
  template <typename Size>
  static at::Tensor sum(const LivingNetwork& network, const Size& size) {
    at::Tensor total = at::zeros({network.coupling.size()}, at::kDouble);
    for (const std::string& name : scales(network.graph))
      total += sum_by_unit(network, name, 0, size(network.graph.parameters.at(name))).to(at::kCPU);
    return total;
  }

  at::Tensor ranked_;  ///< [units] bool
};

const CriterionRegistration registration({"bn-scale", [](const LivingNetwork& network,
                                                         const CriterionOptions&) {
                                            return std::make_unique<BnScale>(network);
                                          }});

}  // namespace

}  // namespace crrm
