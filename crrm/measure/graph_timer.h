// Times single graphs for a fit: many short looks, where measure_latency takes one long one.
#pragma once

#include <chrono>
#include <functional>

#include "crrm/graph/graph.h"

namespace crrm {

/// The time of one run of a graph that is warm, in nanoseconds. Takes about `patience`, and at
/// least three timed runs.
using GraphTimer = std::function<double(const Graph& graph, const Tensors& inputs,
                                        std::chrono::nanoseconds patience)>;

enum class Statistic {
  least,  ///< what other programs take can only lengthen a run: to compare operators
  median  ///< what measure_latency reports
};

/// In ONNX Runtime where it is available, else in crrm's executor.
GraphTimer timer(int threads, Statistic statistic);

}  // namespace crrm
