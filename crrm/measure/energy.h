// Energy, where the processor counts it and the user may read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace crrm {

/// Linux's powercap counters (RAPL): processor packages, and memory where it is counted apart. They
/// count the whole machine, other programs included. On most systems only root may read them.
/// Source: the Linux kernel's Documentation/power/powercap/powercap.rst.
class EnergyCounter {
 public:
  explicit EnergyCounter(const std::filesystem::path& powercap = "/sys/class/powercap");

  /// Joules since construction; nothing where there is no counter, or not all can be read. A
  /// counter that began anew since the last call is made up for, once: at 200 W they do every five
  /// minutes or more.
  std::optional<double> joules();

 private:
  struct Counter {
    std::filesystem::path file;
    uint64_t range;  ///< microjoules; the highest value before 0 follows
    uint64_t last;
  };

  std::vector<Counter> counters_;
  double joules_ = 0;
};

}  // namespace crrm
