#include "crrm/surgery/proof.h"

#include <ATen/core/grad_mode.h>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/graph/executor.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/fold.h"

namespace crrm {

namespace {

Shape extents(const std::vector<KeptAxis>& axes) {
  Shape shape;
  for (const KeptAxis& axis : axes) shape.push_back(axis.extent());
  return shape;
}

double largest(const Tensors& outputs) {
  double most = 0;
  for (const at::Tensor& output : outputs)
    if (output.numel() > 0) most = std::max(most, at::abs(output).max().item<double>());
  return most;
}

/// `whole` with the parameters of `small` in the places that `kept` says.
Graph put_parameters(Graph whole, const Shrinkage::Kept& kept, const Graph& small) {
  for (auto& [name, tensor] : whole.parameters) {
    if (!tensor.is_floating_point() || !small.is_parameter(name)) continue;
    const at::Tensor& part = small.parameters.at(name);
    const auto found = kept.find(name);
    const Shape expected = found == kept.end() ? tensor.sizes().vec() : extents(found->second);
    if (part.sizes() != at::IntArrayRef(expected))
      throw InternalError(fmt::format("\"{}\" of the smaller network is [{}], expected [{}]", name,
                                      fmt::join(part.sizes(), ", "), fmt::join(expected, ", ")));
    tensor =
        found == kept.end() ? part.detach() : put(tensor.detach(), part.detach(), found->second);
  }
  return whole;
}

Proof prove_in(at::ScalarType type, const Graph& masked, const Graph& small,
               const std::vector<bool>& alive, const at::Tensor& inputs) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = inputs.to(type);
  const Tensors expected = Executor(to_type(masked, type)).run({x, hard_gates(alive, type)});
  const Tensors found = Executor(to_type(small, type)).run({x});
  const bool fine = type == at::kDouble;
  return compare("masked vs cut", fine ? "crrm float64" : "crrm float32", expected, found,
                 fine ? kDoubleBound : kFloatBound);
}

}  // namespace

Proof compare(const std::string& what, const std::string& runtime, const Tensors& expected,
              const Tensors& found, double relative) {
  const Difference worst = difference(expected, found);
  const double scale = largest(expected);
  Proof proof{.what = what,
              .max_abs_diff = worst.absolute,
              .max_rel_diff = worst.relative,
              .bound = relative * std::max(1.0, std::isfinite(scale) ? scale : 1.0),
              .inputs = expected.empty() ? 0 : expected[0].size(0),
              .runtime = runtime};
  proof.ok = std::isfinite(worst.absolute) && proof.max_abs_diff <= proof.bound;
  return proof;
}

Graph expand(const Graph& full, const Coupling& coupling, const std::vector<bool>& alive,
             const Graph& small) {
  return put_parameters(full, coupling.kept(alive), small);
}

std::vector<Proof> prove_cut(const Graph& full, const Coupling& coupling,
                             const std::vector<bool>& alive, const Graph& small, const Graph& whole,
                             const at::Tensor& inputs) {
  const Folded folded = fold_branches(full, coupling, alive);
  const Graph masked = insert_gates(put_parameters(folded.graph, folded.kept, small), coupling);
  return {prove_in(at::kDouble, masked, small, alive, inputs),
          prove_in(at::kFloat, whole, small, alive, inputs)};
}

}  // namespace crrm
