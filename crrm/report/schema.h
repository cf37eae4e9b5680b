// What report.json holds. One table drives the check of a report and docs/report.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace crrm {

inline constexpr int kReportVersion = 1;

struct ReportKey {
  enum class Type { text, count, number, non_negative, boolean, object, list, any };

  std::string path;  ///< "stages[].metric.held_out"; [] is each entry of a list, * each other key
  Type type = Type::any;
  bool nullable = false;
  std::string meaning;  ///< one sentence, with the unit where the key's name holds none
  std::vector<std::string> choices = {};  ///< the texts allowed; any where empty
};

/// Every key, parents before children, in the order in which reports hold them.
const std::vector<ReportKey>& report_keys();

/// What the reports of commands that have a `kind` begin with, and how they end.
/// @param parts  what `seconds` has besides the total, one sentence
std::vector<ReportKey> head_keys(const std::string& kind);
std::vector<ReportKey> end_keys(const std::string& parts);

/// Adds `more`, whose paths continue `prefix`.
void append_keys(std::vector<ReportKey>& keys, const std::vector<ReportKey>& more,
                 const std::string& prefix = "");

/// @throws InputError naming the first key that is missing, unknown or of a wrong kind by its JSON
/// path ("stages[2].metric.held_out"), what is expected there, and what was found.
/// @param file the report's path, for the error.
void validate(const nlohmann::ordered_json& report, const std::string& file);

/// The same for a report of another kind, whose keys these are.
void validate(const nlohmann::ordered_json& report, const std::vector<ReportKey>& keys,
              const std::string& file);

/// The table of docs/report.md: "| key | kind | meaning |" and a line for each key.
std::string schema_markdown(const std::vector<ReportKey>& keys = report_keys());

}  // namespace crrm
