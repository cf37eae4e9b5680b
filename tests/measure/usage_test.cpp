#include "crrm/measure/usage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crrm/base/error.h"
#include "crrm/measure/latency.h"
#include "tests/measure/powercap.h"

namespace crrm {
namespace {

using test::Powercap;

TEST(EnergyCounter, AddsPackagesAndMemoryAndNothingTwice) {
  Powercap folder("crrm_powercap_domains");
  folder.add("intel-rapl:0", "package-0", 5'000'000);
  folder.add("intel-rapl:0:0", "core", 0);
  folder.add("intel-rapl:0:1", "dram", 100);
  folder.add("intel-rapl:1", "package-1", 0);
  folder.add("intel-rapl:2", "psys", 0);
  folder.add("intel-rapl-mmio:0", "package-0", 0);
  EnergyCounter counter(folder.path());
  EXPECT_EQ(counter.joules(), 0.0);
  folder.set("intel-rapl:0", 7'000'000);
  folder.set("intel-rapl:0:1", 500'100);
  folder.set("intel-rapl:1", 1'000'000);
  for (const char* counted_elsewhere : {"intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"})
    folder.set(counted_elsewhere, 900'000'000);
  EXPECT_DOUBLE_EQ(counter.joules().value(), 2 + 0.5 + 1);
  EXPECT_DOUBLE_EQ(counter.joules().value(), 3.5);
}

// From 9 J to 1 J with a highest value of 10 J: 2 J.
TEST(EnergyCounter, MakesUpForACounterThatBeganAnew) {
  Powercap folder("crrm_powercap_wrap");
  folder.add("intel-rapl:0", "package-0", 9'000'000, 10'000'000);
  EnergyCounter counter(folder.path());
  folder.set("intel-rapl:0", 1'000'000);
  EXPECT_DOUBLE_EQ(counter.joules().value(), 2);
  folder.set("intel-rapl:0", 4'000'000);
  EXPECT_DOUBLE_EQ(counter.joules().value(), 5);
}

TEST(EnergyCounter, SaysNothingWhereNotAllCanBeRead) {
  EXPECT_FALSE(EnergyCounter("/no/such/folder").joules());
  Powercap folder("crrm_powercap_unreadable");
  EXPECT_FALSE(EnergyCounter(folder.path()).joules());
  folder.add("intel-rapl:0", "package-0", 1);
  folder.add("intel-rapl:1", "package-1", 1);
  EnergyCounter counter(folder.path());
  EXPECT_TRUE(counter.joules());
  std::filesystem::remove(folder.path() / "intel-rapl:1" / "energy_uj");
  EXPECT_FALSE(counter.joules());
  EXPECT_FALSE(EnergyCounter(folder.path()).joules());
}

TEST(Latency, SpreadsTheEnergyOverTheRuns) {
  Powercap folder("crrm_powercap_latency");
  folder.add("intel-rapl:0", "package-0", 0);
  std::chrono::nanoseconds time(0);
  uint64_t runs = 0;
  const auto run_once = [&] {
    time += std::chrono::milliseconds(20);
    folder.set("intel-rapl:0", ++runs * 250'000);  // 0.25 J each
  };
  const Latency latency = measure_latency(
      "fake", 1, 1, run_once, [&] { return time; }, EnergyCounter(folder.path()));
  EXPECT_EQ(latency.samples, 25);
  EXPECT_DOUBLE_EQ(latency.joules.value(), 0.25);
  const Latency unknown = measure_latency(
      "fake", 1, 1, run_once, [&] { return time; }, EnergyCounter("/no/such/folder"));
  EXPECT_FALSE(unknown.joules);
}

TEST(Usage, CountsFromItsBeginningAndWhatCameBefore) {
  Powercap folder("crrm_powercap_usage");
  folder.add("intel-rapl:0", "package-0", 1'000'000);
  double cpu = 100;
  UsageMeter meter(EnergyCounter(folder.path()), [&] { return cpu; });
  cpu = 130;
  folder.set("intel-rapl:0", 3'000'000);
  EXPECT_DOUBLE_EQ(meter().cpu_seconds, 30);
  EXPECT_DOUBLE_EQ(meter().joules.value(), 2);
  meter.add_before({.seconds = 1000, .cpu_seconds = 2000, .joules = 500});
  EXPECT_DOUBLE_EQ(meter().cpu_seconds, 2030);
  EXPECT_DOUBLE_EQ(meter().joules.value(), 502);
  EXPECT_GE(meter().seconds, 1000);
  EXPECT_LT(meter().seconds, 1100);
  meter.add_before({.seconds = 1000, .cpu_seconds = 2000, .joules = std::nullopt});
  EXPECT_FALSE(meter().joules);  // of a part nothing is known
}

TEST(Usage, SeesTheProcessorWork) {
  UsageMeter meter;
  const double end = cpu_seconds() + 0.05;
  while (cpu_seconds() < end) {
  }
  const Usage usage = meter();
  EXPECT_GE(usage.cpu_seconds, 0.05);
  EXPECT_GE(usage.seconds, 0.01);
}

TEST(Usage, IsTheSameAfterJson) {
  for (const std::optional<double> joules : {std::optional<double>(3.5), std::optional<double>()}) {
    const Usage usage = {.seconds = 1.25, .cpu_seconds = 2.5, .joules = joules};
    const Usage again = to_usage(nlohmann::ordered_json::parse(to_json(usage).dump()));
    EXPECT_EQ(again.seconds, usage.seconds);
    EXPECT_EQ(again.cpu_seconds, usage.cpu_seconds);
    EXPECT_EQ(again.joules, usage.joules);
  }
  EXPECT_THROW(to_usage({{"seconds", 1}}), InputError);
  EXPECT_THROW(to_usage(nlohmann::ordered_json()), InputError);
}

}  // namespace
}  // namespace crrm
