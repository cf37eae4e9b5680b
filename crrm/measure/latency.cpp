#include "crrm/measure/latency.h"

#include <cmath>

namespace crrm {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Median and spread over five runs are the least that crrm reports; 200 runs settle a median to
// some 0.1 standard deviations (1.25 / sqrt(200)), and half a second is what a user waits.
constexpr size_t kLeastRuns = 5;
constexpr size_t kMostRuns = 200;
constexpr nanoseconds kLeastTime = milliseconds(500);
constexpr int kMostWarmUps = 10;
constexpr nanoseconds kWarmUpTime = milliseconds(100);

// Iglewicz & Hoaglin 1993: 0.6745 is the third quartile of the normal distribution, so that MAD /
// 0.6745 estimates its standard deviation.
constexpr double kNormalQuartile = 0.6745;
constexpr double kOutlierScore = 3.5;

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

bool has_outliers(const std::vector<double>& sorted, double median) {
  std::vector<double> deviations;
  for (const double value : sorted) deviations.push_back(std::abs(value - median));
  std::sort(deviations.begin(), deviations.end());
  const double mad = quantile(deviations, 0.5);
  return kNormalQuartile * deviations.back() > kOutlierScore * mad;
}

void warm_up(const std::function<void()>& run_once, const MonotonicClock& now) {
  const nanoseconds start = now();
  int runs = 0;
  do {
    run_once();
  } while (++runs < kMostWarmUps && now() - start < kWarmUpTime);
}

std::vector<double> time_runs(const std::function<void()>& run_once, const MonotonicClock& now) {
  std::vector<double> milliseconds_taken;
  const nanoseconds start = now();
  nanoseconds end = start;
  while (milliseconds_taken.size() < kLeastRuns ||
         (milliseconds_taken.size() < kMostRuns && end - start < kLeastTime)) {
    const nanoseconds begin = now();
    run_once();
    end = now();
    milliseconds_taken.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
  }
  return milliseconds_taken;
}

}  // namespace

nanoseconds steady_time() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

Latency measure_latency(const std::string& runtime, int threads, int64_t batch,
                        const std::function<void()>& run_once, const MonotonicClock& now,
                        EnergyCounter energy) {
  warm_up(run_once, now);
  const std::optional<double> joules_before = energy.joules();
  std::vector<double> taken = time_runs(run_once, now);  // ms
  std::optional<double> joules = energy.joules();
  if (joules) *joules = (*joules - *joules_before) / static_cast<double>(taken.size());
  std::sort(taken.begin(), taken.end());
  const double median = quantile(taken, 0.5);
  return {.runtime = runtime,
          .threads = threads,
          .batch = batch,
          .median_ms = median,
          .iqr_ms = quantile(taken, 0.75) - quantile(taken, 0.25),
          .samples = static_cast<int64_t>(taken.size()),
          .outliers = has_outliers(taken, median),
          .joules = joules};
}

}  // namespace crrm
