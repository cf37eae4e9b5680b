// How long one run takes, with its spread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "crrm/measure/energy.h"

namespace crrm {

struct Latency {
  std::string runtime;  ///< "crrm", "onnxruntime", or the device on which crrm ran, as "cuda"
  int threads = 0;
  int64_t batch = 0;      ///< samples a run
  double median_ms = 0;   ///< of one run, all of its samples
  double iqr_ms = 0;      ///< third less first quartile
  int64_t samples = 0;    ///< runs that were timed
  bool outliers = false;  ///< some run's modified z-score exceeds 3.5: the machine was not quiet
  std::optional<double> joules = std::nullopt;  ///< mean of one run; nothing where not known
};

/// A clock that never runs backwards.
using MonotonicClock = std::function<std::chrono::nanoseconds()>;
std::chrono::nanoseconds steady_time();

/// Runs the workload to warm up (at least once, until 0.1 s have passed or 10 runs are done), then
/// times at least 5 runs and goes on until 0.5 s have passed or 200 runs are timed. Quartiles are
/// interpolated linearly (type 7 of Hyndman & Fan 1996, numpy's default).
/// Outliers: modified z-score 0.6745 |x - median| / MAD > 3.5, Iglewicz & Hoaglin, How to Detect
/// and Handle Outliers, ASQC 1993; in a normal sample that is 2.6 interquartile ranges off.
/// @param now, energy  replaced in tests
Latency measure_latency(const std::string& runtime, int threads, int64_t batch,
                        const std::function<void()>& run_once,
                        const MonotonicClock& now = steady_time,
                        EnergyCounter energy = EnergyCounter());

}  // namespace crrm
