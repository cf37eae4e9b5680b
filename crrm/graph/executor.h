// Runs a graph on ATen, with autograd where a parameter or an input asks for it, on any device.
#pragma once

#include <optional>
#include <vector>

#include "crrm/graph/graph.h"
#include "crrm/graph/operator.h"

namespace crrm {

/// The graph with its parameters on `device`, but for those that are only read where their content
/// decides a shape (Operator::shape_depends_on_value): these stay on the CPU, where shapes are
/// computed. What lies in its place already is shared; copies are outside of autograd.
Graph to(const Graph& graph, at::Device device);

/// Waits until `device` has done what it was told; a time is measured behind it.
void synchronize(at::Device device);

/// Computes where the graph's parameters lie (`to`).
class Executor {
 public:
  /// Holds the graph's parameter tensors (shared, not copied): changes in place are seen.
  /// @throws InputError naming every node whose operator is unknown.
  explicit Executor(const Graph& graph);

  /// @param inputs    one tensor for each of the graph's inputs; brought to the parameters' device
  /// @param training  BatchNormalization uses the batch's statistics and updates its own
  /// @return one tensor for each of the graph's outputs, where it was computed
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
  std::optional<at::Device> device_;  ///< of the parameters, where that is not the CPU
};

}  // namespace crrm
