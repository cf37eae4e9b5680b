// report.json of a run.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crrm/measure/usage.h"
#include "crrm/train/verify.h"

namespace crrm {

/// What the user asked for, as far as the run itself does not know it.
struct Assignment {
  std::vector<std::string> command;  ///< the command line
  nlohmann::ordered_json config;     ///< every option's value
  std::string model;                 ///< path of the file, or name of the architecture
  std::string model_sha256;          ///< empty for an architecture
  Reversal reversal;                 ///< what the run takes back in the file
  std::string metric;                ///< Task::metric
  std::string data;                  ///< path
  std::string split;                 ///< how held-out samples were chosen
  bool compresses = true;            ///< false: trains only, without a limit
  Resource resource = Resource::macs;
  int64_t limit = 0;       ///< of that resource
  std::string limit_text;  ///< as the user wrote it
  uint64_t seed = 0;
  int threads = 0;
  std::string accelerator;  ///< accelerator_name; empty: none was used
  std::optional<double> price_per_hour;
};

/// What the end of a run adds.
struct Conclusion {
  std::vector<Latency> dense_latencies, final_latencies;
  Usage usage;  ///< of the whole run
  Verification verification;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> warnings;
  bool partial = false;
};

/// Whether the last stage costs at most what was asked.
bool goal_met(const Assignment& assignment, const RunResult& result);

/// An entry of the report's `latency_ms`.
nlohmann::ordered_json to_json(const Latency& latency);

/// @param network  as the run got it; `coupling` describes it
/// @return a report that validate() accepts
nlohmann::ordered_json make_report(const Assignment& assignment, const RunData& data,
                                   const Graph& network, const Coupling& coupling,
                                   const RunResult& result, const Conclusion& conclusion);

/// The report's `groups` and what is frozen beside them; @param alive  [coupling.size()]
nlohmann::ordered_json describe_groups(const Graph& network, const Coupling& coupling,
                                       const std::vector<bool>& alive);

/// Axes of which nothing, or not all, can leave, as a user cares for them: outputs and inputs of
/// weights, not the extents of kernels.
std::vector<FrozenAxis> frozen_widths(const Coupling& coupling);

}  // namespace crrm
