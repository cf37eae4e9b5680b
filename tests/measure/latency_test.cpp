#include "crrm/measure/latency.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace crrm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A workload whose i-th run takes the i-th duration, the last one from then on.
class FakeWorkload {
 public:
  explicit FakeWorkload(std::vector<nanoseconds> durations) : durations_(std::move(durations)) {}

  Latency measure() {
    return measure_latency(
        "fake", 2, 16, [this] { run(); }, [this] { return time_; });
  }
  int64_t runs() const { return runs_; }

 private:
  void run() {
    time_ += durations_[std::min<size_t>(runs_, durations_.size() - 1)];
    ++runs_;
  }

  std::vector<nanoseconds> durations_;
  nanoseconds time_ = nanoseconds(0);
  int64_t runs_ = 0;
};

TEST(Latency, KeepsWhatWasMeasured) {
  const Latency latency = FakeWorkload({milliseconds(1)}).measure();
  EXPECT_EQ(latency.runtime, "fake");
  EXPECT_EQ(latency.threads, 2);
  EXPECT_EQ(latency.batch, 16);
}

// One warm-up of 10 s, which must not be timed, then 100, 200, 300, 500, 900 ms.
// numpy.percentile([100, 200, 300, 500, 900], [25, 50, 75]) = 200, 300, 500.
// MAD = median(0, 100, 200, 200, 600) = 200; 0.6745 * 600 / 200 = 2.02 < 3.5.
TEST(Latency, MedianAndQuartilesOfFiveSlowRuns) {
  FakeWorkload workload({milliseconds(10000), milliseconds(300), milliseconds(100),
                         milliseconds(900), milliseconds(200), milliseconds(500)});
  const Latency latency = workload.measure();
  EXPECT_EQ(latency.samples, 5);
  EXPECT_EQ(workload.runs(), 6);
  EXPECT_DOUBLE_EQ(latency.median_ms, 300);
  EXPECT_DOUBLE_EQ(latency.iqr_ms, 300);
  EXPECT_FALSE(latency.outliers);
}

// A warm-up of one run of 0.1 s, then six runs: 395 ms have passed after five, 505 ms after six.
// numpy.percentile([60, 70, 80, 90, 95, 110], [25, 50, 75]) = 72.5, 85, 93.75.
TEST(Latency, QuartilesBetweenTwoRuns) {
  FakeWorkload workload({milliseconds(100), milliseconds(60), milliseconds(70), milliseconds(80),
                         milliseconds(90), milliseconds(95), milliseconds(110)});
  const Latency latency = workload.measure();
  EXPECT_EQ(latency.samples, 6);
  EXPECT_DOUBLE_EQ(latency.median_ms, 85);
  EXPECT_DOUBLE_EQ(latency.iqr_ms, 93.75 - 72.5);
}

// 0.5 s / 10 ms = 50 runs; the warm-up takes its 10 runs = 0.1 s.
TEST(Latency, GoesOnUntilHalfASecondHasPassed) {
  FakeWorkload workload({milliseconds(10)});
  EXPECT_EQ(workload.measure().samples, 50);
  EXPECT_EQ(workload.runs(), 60);
}

TEST(Latency, StopsAtTwoHundredRuns) {
  FakeWorkload workload({microseconds(10)});
  const Latency latency = workload.measure();
  EXPECT_EQ(latency.samples, 200);
  EXPECT_EQ(workload.runs(), 210);
  EXPECT_DOUBLE_EQ(latency.median_ms, 0.01);
  EXPECT_DOUBLE_EQ(latency.iqr_ms, 0);
  EXPECT_FALSE(latency.outliers);
}

// 100, 110, 120, 130 and x: median 120, MAD 10. The score of x is 0.6745 (x - 120) / 10, which is
// 3.44 at 171 and 3.51 at 172.
TEST(Latency, OutliersFromAModifiedZScoreOfThreeAndAHalf) {
  const std::vector<nanoseconds> quiet = {milliseconds(100), milliseconds(100), milliseconds(110),
                                          milliseconds(120), milliseconds(130), milliseconds(171)};
  EXPECT_FALSE(FakeWorkload(quiet).measure().outliers);
  std::vector<nanoseconds> noisy = quiet;
  noisy.back() = milliseconds(172);
  EXPECT_TRUE(FakeWorkload(noisy).measure().outliers);
}

TEST(Latency, FaultsOfTheWorkloadPass) {
  EXPECT_THROW(measure_latency("fake", 1, 1, [] { throw std::runtime_error("no"); }),
               std::runtime_error);
}

TEST(Latency, TheRealClockSeesASpin) {
  const Latency latency = measure_latency("spin", 1, 1, [] {
    const nanoseconds end = steady_time() + milliseconds(20);
    while (steady_time() < end) {
    }
  });
  EXPECT_GE(latency.median_ms, 20);
  EXPECT_GE(latency.samples, 5);
  EXPECT_LE(latency.samples, 25);  // 0.5 s / 20 ms
}

}  // namespace
}  // namespace crrm
