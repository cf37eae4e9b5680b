// Runs a graph on ATen, with autograd where a parameter or an input asks for it.
#pragma once

#include <vector>

#include "crrm/graph/graph.h"
#include "crrm/graph/operator.h"

namespace crrm {

class Executor {
 public:
  /// Holds the graph's parameter tensors (shared, not copied): changes in place are seen.
  /// @throws InputError naming every node whose operator is unknown.
  explicit Executor(const Graph& graph);

  /// @param inputs    one tensor for each of the graph's inputs
  /// @param training  BatchNormalization uses the batch's statistics and updates its own
  /// @return one tensor for each of the graph's outputs
  /// @throws InputError naming the node whose inputs do not fit it.
  Tensors run(const Tensors& inputs, bool training = false) const;

 private:
  static constexpr int kAbsent = -1;
  struct Step {
    const Operator* op;
    Node node;
    std::vector<int> inputs, outputs;  ///< slots
    std::vector<int> last_read;        ///< slots that nobody reads after this step
  };

  int slot(const std::string& value);
  void mark_last_reads();

  std::vector<Step> steps_;
  std::unordered_map<std::string, int> slots_;
  Tensors constants_;  ///< by slot; undefined where a run writes
  std::vector<int> inputs_, outputs_;
};

}  // namespace crrm
