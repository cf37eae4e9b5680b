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

/// In ONNX Runtime, which must be available (measure/onnxruntime.h).
GraphTimer onnxruntime_timer(int threads, Statistic statistic = Statistic::least);
/// In crrm's executor.
GraphTimer executor_timer(int threads, Statistic statistic = Statistic::least);

}  // namespace crrm
