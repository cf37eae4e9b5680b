// A run's networks, judged by its task on its data.
#pragma once

#include "crrm/train/run.h"

namespace crrm {

class Evaluator {
 public:
  /// All outlive this.
  Evaluator(const Task& task, const RunData& data, const RunOptions& options)
      : task_(task), data_(data), options_(options) {}

  /// A network without gates.
  Evaluation plain(const Graph& graph, const Dataset& data) const;
  /// At the original size, the units that `small` lacks multiplied by zero.
  /// @param network  `small` has its living units
  Evaluation masked(const GatedNetwork& network, const Graph& small, const Dataset& data) const;
  /// The network as it is now, closed units masked, on held-out data.
  Evaluation held_out(const GatedNetwork& network) const;
  /// The same with the parameters of `averaged`, a network like network.gated().
  Evaluation held_out(const GatedNetwork& network, const Graph& averaged) const;
  /// Fills Stage::test, once the run is over.
  void read_test(const GatedNetwork& network, std::vector<Stage>& stages) const;

 private:
  Evaluation of(const Forward& forward, const Dataset& data) const;

  const Task& task_;
  const RunData& data_;
  const RunOptions& options_;
};

}  // namespace crrm
