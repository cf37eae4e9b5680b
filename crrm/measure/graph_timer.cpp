#include "crrm/measure/graph_timer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/latency.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/measure/threads.h"

namespace crrm {

namespace {

using std::chrono::nanoseconds;

double time_of(Statistic statistic, const std::function<void()>& run_once, nanoseconds patience) {
  constexpr size_t kWarmUps = 2, kLeastRuns = 3;
  const nanoseconds end = steady_time() + patience;
  for (size_t i = 0; i < kWarmUps; ++i) run_once();
  std::vector<int64_t> times;
  nanoseconds now = steady_time();
  while (times.size() < kLeastRuns || now < end) {
    run_once();
    const nanoseconds after = steady_time();
    times.push_back((after - now).count());
    now = after;
  }
  const auto found = statistic == Statistic::least
                         ? times.begin()
                         : times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), found, times.end());
  return static_cast<double>(*found);
}

GraphTimer onnxruntime_timer(int threads, Statistic statistic) {
  return [=](const Graph& graph, const Tensors& inputs, nanoseconds patience) {
    const OnnxRuntime session = OnnxRuntime::from_bytes(graph.name, onnx_bytes(graph), threads);
    return time_of(
        statistic, [&] { session.run(inputs); }, patience);
  };
}

GraphTimer executor_timer(int threads, Statistic statistic) {
  return [=](const Graph& graph, const Tensors& inputs, nanoseconds patience) {
    const at::NoGradGuard no_grad;
    const Threads limit(threads);
    const Executor executor(graph);
    return time_of(
        statistic, [&] { executor.run(inputs); }, patience);
  };
}

}  // namespace

GraphTimer timer(int threads, Statistic statistic) {
  return OnnxRuntime::available() ? onnxruntime_timer(threads, statistic)
                                  : executor_timer(threads, statistic);
}

}  // namespace crrm
