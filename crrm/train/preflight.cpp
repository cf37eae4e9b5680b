#include "crrm/train/preflight.h"

#include <ATen/core/grad_mode.h>
#include <sys/resource.h>

#include <chrono>

#include "crrm/base/error.h"
#include "crrm/coupling/cost.h"
#include "crrm/graph/executor.h"

namespace crrm {

namespace {

constexpr int64_t kBytesPerValue = 4;
constexpr int64_t kCheckpointCopies = 5;  // parameters, two momenta, and two stages
constexpr int64_t kDescentCopies = 4;     // the average, and parameters and momenta to return to
constexpr int64_t kReportBytes = int64_t{1} << 20;

class Rehearsal {
 public:
  Rehearsal(const Graph& network, const Task& task, const RunData& data, const RunOptions& options)
      : device_(options.device),
        network_(to(clone(network), device_)),
        student_(ready(network_)),
        task_(task),
        batch_(take(data.train, data.normalisation, 0, std::min(options.batch, data.train.size()),
                    /*channels_last=*/true)) {}

  void step() const {
    const Tensors outputs = student_.run({batch_.inputs}, /*training=*/true);
    task_.check(outputs);
    task_.loss(outputs, batch_).backward();
    synchronize(device_);
  }

  void evaluate() const {
    const at::NoGradGuard no_grad;
    student_.run({batch_.inputs});
    synchronize(device_);
  }

 private:
  static const Graph& ready(Graph& graph) {
    for (const std::string& name : learned_parameters(graph))
      graph.parameters.at(name).requires_grad_(true);
    return graph;
  }

  at::Device device_;
  Graph network_;
  Executor student_;
  const Task& task_;
  Batch batch_;
};

template <typename Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int64_t peak_memory() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;  // Linux counts in KiB
}

/// Runs `work`, and turns the allocator's complaint into an error that names the batch.
template <typename Work>
void within_memory(int64_t batch, const Work& work) {
  try {
    work();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (text.find("allocate") == std::string::npos &&
        text.find("out of memory") == std::string::npos)
      throw;
    throw InputError({.place = "memory",
                      .expected = fmt::format("room for a batch of {} samples", batch),
                      .found = text.substr(0, text.find('\n')),
                      .hint = "choose a smaller --batch"});
  }
}

}  // namespace

Preflight preflight(const Graph& network, const Task& task, const RunData& data,
                    const RunOptions& options) {
  Preflight result;
  double evaluation = 0;
  within_memory(options.batch, [&] {
    const Rehearsal rehearsal(network, task, data, options);
    rehearsal.step();  // the first also allocates
    result.seconds_per_step = seconds_of([&] { rehearsal.step(); });
    evaluation = seconds_of([&] { rehearsal.evaluate(); }) / static_cast<double>(options.batch);
  });
  constexpr double kStages = 4;  // dense, cut, recalibrated, final
  const int64_t steps = data.train.size() / options.batch;
  result.steps = options.epochs * steps;
  const double probes = options.compresses() && options.probe_every > 0
                            ? options.schedule.ramp_end / static_cast<double>(options.probe_every)
                            : 0;
  const double looks =
      options.descends()
          ? (options.schedule.ramp_end - options.schedule.ramp_begin) / options.observe_every
          : 0;
  const double evaluations = static_cast<double>(data.held_out.size()) *
                                 (static_cast<double>(options.epochs) + kStages + looks) +
                             static_cast<double>(data.test.size()) * kStages;
  result.seconds = static_cast<double>(result.steps) * result.seconds_per_step * (1 + probes) +
                   evaluations * evaluation;
  result.memory_bytes = peak_memory();
  int64_t values = 0;
  for (const auto& [name, tensor] : network.parameters) values += tensor.numel();
  result.disk_bytes = values * kBytesPerValue *
                          (kCheckpointCopies + 1 + (options.descends() ? kDescentCopies : 0)) +
                      kReportBytes;
  return result;
}

}  // namespace crrm
