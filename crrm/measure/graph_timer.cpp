#include "crrm/measure/graph_timer.h"

#include <ATen/core/grad_mode.h>

#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/latency.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/measure/threads.h"

namespace crrm {

namespace {

using std::chrono::nanoseconds;

double least_time(const std::function<void()>& run_once, nanoseconds patience) {
  constexpr int kWarmUps = 2, kLeastRuns = 3;
  const nanoseconds end = steady_time() + patience;
  for (int i = 0; i < kWarmUps; ++i) run_once();
  nanoseconds least = nanoseconds::max(), now = steady_time();
  for (int runs = 0; runs < kLeastRuns || now < end; ++runs) {
    run_once();
    const nanoseconds after = steady_time();
    least = std::min(least, after - now);
    now = after;
  }
  return static_cast<double>(least.count());
}

}  // namespace

GraphTimer onnxruntime_timer(int threads) {
  return [threads](const Graph& graph, const Tensors& inputs, nanoseconds patience) {
    const OnnxRuntime session = OnnxRuntime::from_bytes(graph.name, onnx_bytes(graph), threads);
    return least_time([&] { session.run(inputs); }, patience);
  };
}

GraphTimer executor_timer(int threads) {
  return [threads](const Graph& graph, const Tensors& inputs, nanoseconds patience) {
    const at::NoGradGuard no_grad;
    const Threads limit(threads);
    const Executor executor(graph);
    return least_time([&] { executor.run(inputs); }, patience);
  };
}

}  // namespace crrm
