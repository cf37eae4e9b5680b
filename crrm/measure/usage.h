// What a run takes of the machine.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "crrm/measure/energy.h"

namespace crrm {

struct Usage {
  double seconds = 0;                           ///< wall time
  double cpu_seconds = 0;                       ///< of all threads, user and system
  std::optional<double> joules = std::nullopt;  ///< EnergyCounter; nothing where it is not known
};

nlohmann::ordered_json to_json(const Usage& usage);
/// @throws InputError where it is not what to_json() gives.
Usage to_usage(const nlohmann::ordered_json& json);

/// CPU time of this process so far.
double cpu_seconds();

class UsageMeter {
 public:
  /// Begins now. @param energy, cpu  replaced in tests
  explicit UsageMeter(EnergyCounter energy = EnergyCounter(),
                      std::function<double()> cpu = cpu_seconds);

  /// Since the beginning, and what came before; often enough that no counter of energy begins anew
  /// twice.
  Usage operator()();
  /// What a run took until the checkpoint from which this one goes on.
  void add_before(const Usage& usage) { before_ = usage; }

 private:
  EnergyCounter energy_;
  std::function<double()> cpu_;
  std::chrono::nanoseconds start_;
  double cpu_start_;
  std::optional<Usage> before_;
};

}  // namespace crrm
