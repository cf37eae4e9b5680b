// What a run is going to do, before it does anything: --dry-run.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "crrm/train/outcome.h"
#include "crrm/train/preflight.h"

namespace crrm::cli {

/// References outlive it.
struct Plan {
  const Graph& network;  ///< as it will be trained
  const Coupling& coupling;
  const RunOptions& options;
  const Assignment& assignment;
  const Preflight& check;
  std::optional<Evaluation> dense;  ///< on held-out data
};

/// One JSON document; each limited resource with what the network can have of it.
nlohmann::ordered_json to_json(const Plan& plan);
/// The same for people. @param plan  of `to_json`
std::string plan_text(const nlohmann::ordered_json& plan, const std::string& subject);

}  // namespace crrm::cli
