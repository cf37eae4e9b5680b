#include "crrm/train/evaluator.h"

#include "crrm/bottleneck/gates.h"

namespace crrm {

Evaluation Evaluator::of(const Forward& forward, const Dataset& data) const {
  return task_.evaluate(forward, data, data_.normalisation, options_.evaluation_batch);
}

Evaluation Evaluator::plain(const Graph& graph, const Dataset& data) const {
  return task_.evaluate(to(graph, options_.device), data, data_.normalisation,
                        options_.evaluation_batch);
}

Evaluation Evaluator::masked(const GatedNetwork& network, const Graph& small,
                             const Dataset& data) const {
  const Executor whole(to(network.whole(small), options_.device));
  const at::Tensor gates = hard_gates(network.alive());
  return of([&](const at::Tensor& x) { return whole.run({x, gates}); }, data);
}

Evaluation Evaluator::held_out(const GatedNetwork& network) const {
  const at::Tensor gates = hard_gates(network.alive());
  return of([&](const at::Tensor& x) { return network.run({x}, gates, /*training=*/false); },
            data_.held_out);
}

Evaluation Evaluator::held_out(const GatedNetwork& network, const Graph& averaged) const {
  const Executor executor(averaged);
  const at::Tensor gates = hard_gates(network.alive());
  return of([&](const at::Tensor& x) { return executor.run({x, gates}); }, data_.held_out);
}

void Evaluator::read_test(const GatedNetwork& network, std::vector<Stage>& stages) const {
  for (size_t i = 0; i < stages.size(); ++i)
    stages[i].test = stages[i].name == "masked" ? masked(network, stages[i + 1].graph, data_.test)
                                                : plain(stages[i].graph, data_.test);
}

}  // namespace crrm
