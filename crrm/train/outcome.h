// report.json of a run.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crrm/measure/usage.h"
#include "crrm/train/verify.h"

namespace crrm {

/// A limit as the user gave it.
struct Target {
  Limit limit;
  std::string text;
};

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
  std::vector<Target> targets;
  std::optional<double> max_drop;  ///< of the metric, a fraction
  bool knee = false;               ///< nothing is limited: the shortest description
  double blank_loss = 1;           ///< Task::blank_loss of the held-out data
  std::string latency_runtime;     ///< Latency::runtime begins so, where latency is limited
  int latency_threads = 1;
  uint64_t seed = 0;
  int threads = 0;
  std::string accelerator;  ///< accelerator_name; empty: none was used
  std::optional<double> price_per_hour;
};

/// What the end of a run adds.
struct Conclusion {
  nlohmann::ordered_json goals = nlohmann::ordered_json::array();
  std::vector<Latency> dense_latencies, final_latencies;
  Usage usage;  ///< of the whole run
  Verification verification;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> warnings;
  bool partial = false;
};

/// The report's `goals`: each limit, what the last stage reached, and whether it is kept. A drop of
/// the metric is not kept where the data say so: where its 95 % interval lies above the limit.
/// @param written    the last stage as it is written
/// @param latencies  of that; a limit on latency is compared with one sample at its threads
nlohmann::ordered_json goals(const Assignment& assignment, const RunResult& result,
                             const Graph& written, const std::vector<Latency>& latencies);
bool all_met(const nlohmann::ordered_json& goals);

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
