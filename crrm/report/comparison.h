// The stages of a report side by side: what its table says, whatever the table is written in.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace crrm {

struct ComparisonCell {
  std::string value = {};    ///< "20.3 M"; empty where the report holds none
  std::string against = {};  ///< against the dense model: "49.8 %", "-1.21 points"; may be empty
};

struct ComparisonRow {
  std::string name;                        ///< "MACs"
  std::string meaning;                     ///< what the number is, in a few words
  std::vector<ComparisonCell> cells = {};  ///< one a stage
  bool brief = true;                       ///< whether the short table on the terminal shows it
  bool key = false;  ///< whether it is among the few figures that most readers came for
};

struct Comparison {
  std::vector<std::string> stages;
  std::vector<ComparisonRow> rows;
};

// All of these take a report that validate() accepts.

Comparison compare(const nlohmann::ordered_json& report);

/// "resnet20 keeps 49.8 % of its MACs and 61.9 % of its parameters, at a loss of 1.21 points of
/// accuracy on test data (91.73 % to 90.52 %)."
std::string headline(const nlohmann::ordered_json& report);

/// "Goal met: 20.3 M MACs of at most 20.4 M (50%)."
std::string goal_sentence(const nlohmann::ordered_json& report);
/// Whether every limit is kept.
bool goals_met(const nlohmann::ordered_json& report);

/// "Proved: outputs differ by at most 4.3e-06, allowed 1.6e-03 (4 comparisons)." These are the
/// largest difference and the bound of its own comparison, or of the worst that failed.
std::string proof_sentence(const nlohmann::ordered_json& report);

/// Whether a metric is a share, shown in percent and points.
bool is_share(const std::string& metric);

/// A metric's value: "91.73 %" for a share, four significant digits for any other.
std::string format_metric(const std::string& name, double value);

/// "resnet20" of "models/resnet20.onnx" and, as every run calls its own the same, of
/// "resnet20/model.onnx".
std::string name_of_model(const std::filesystem::path& path);
/// Of the report's model.
std::string model_name(const nlohmann::ordered_json& report);

}  // namespace crrm
