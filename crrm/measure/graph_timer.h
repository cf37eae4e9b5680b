// Times single graphs for a fit: many short looks, where measure_latency takes one long one.
#pragma once

#include <chrono>
#include <functional>

#include "crrm/graph/graph.h"

namespace crrm {

/// The least time of one run of a graph that is warm, in nanoseconds: what other programs take can
/// only lengthen it. Takes about `patience`, and at least three timed runs.
using GraphTimer = std::function<double(const Graph& graph, const Tensors& inputs,
                                        std::chrono::nanoseconds patience)>;

/// In ONNX Runtime, which must be available (measure/onnxruntime.h).
GraphTimer onnxruntime_timer(int threads);
/// In crrm's executor.
GraphTimer executor_timer(int threads);

}  // namespace crrm
