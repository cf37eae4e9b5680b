#include "crrm/measure/energy.h"

#include <fstream>

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr double kMicrojoule = 1e-6;

template <typename T>
std::optional<T> read(const fs::path& file) {
  std::ifstream stream(file);
  T value;
  return stream >> value ? std::optional<T>(value) : std::nullopt;
}

/// "package-0", "dram"; cores and graphics are parts of a package, "psys" is more than all.
bool counts(const std::string& domain) {
  return domain.starts_with("package-") || domain == "dram";
}

}  // namespace

EnergyCounter::EnergyCounter(const fs::path& powercap) {
  std::error_code ignored;  // no folder, no counters
  for (const fs::directory_entry& entry : fs::directory_iterator(powercap, ignored)) {
    // intel-rapl-mmio:N counts the packages a second time.
    if (!entry.path().filename().string().starts_with("intel-rapl:")) continue;
    if (!counts(read<std::string>(entry.path() / "name").value_or(""))) continue;
    const fs::path file = entry.path() / "energy_uj";
    const auto now = read<uint64_t>(file),
               range = read<uint64_t>(entry.path() / "max_energy_range_uj");
    if (!now || !range) {
      counters_.clear();
      return;
    }
    counters_.push_back({file, *range, *now});
  }
}

std::optional<double> EnergyCounter::joules() {
  for (Counter& counter : counters_) {
    const auto now = read<uint64_t>(counter.file);
    if (!now) {
      counters_.clear();
      break;
    }
    const uint64_t used =
        *now >= counter.last ? *now - counter.last : counter.range - counter.last + *now;
    joules_ += kMicrojoule * static_cast<double>(used);
    counter.last = *now;
  }
  return counters_.empty() ? std::nullopt : std::optional<double>(joules_);
}

}  // namespace crrm
