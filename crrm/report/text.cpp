#include "crrm/report/text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crrm/report/comparison.h"
#include "crrm/report/cost.h"
#include "crrm/report/schema.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;
using Line = std::vector<std::string>;

std::vector<Line> table(const Comparison& comparison) {
  Line head = {""};
  head.insert(head.end(), comparison.stages.begin(), comparison.stages.end());
  const bool compared = comparison.stages.size() > 1;
  if (compared) head.push_back("of dense");
  std::vector<Line> lines = {head};
  for (const ComparisonRow& row : comparison.rows) {
    if (!row.brief) continue;
    Line line = {row.name};
    for (const ComparisonCell& cell : row.cells)
      line.push_back(cell.value.empty() ? "-" : cell.value);
    if (compared) line.push_back(row.cells.back().against);
    lines.push_back(line);
  }
  return lines;
}

std::string aligned(const std::vector<Line>& lines) {
  std::vector<size_t> widths(lines[0].size(), 0);
  for (const Line& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const Line& line : lines) {
    std::string row = fmt::format("{:<{}}", line[0], widths[0]);
    for (size_t i = 1; i < line.size(); ++i) row += fmt::format("  {:>{}}", line[i], widths[i]);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string warning_line(const Json& report) {
  const Json& warnings = report["warnings"];
  std::string line;
  if (report["partial"]) line = "Partial: the run ended early.";
  if (!line.empty() && !warnings.empty()) line += " ";
  if (warnings.size() == 1) line += fmt::format("Warning: {}", warnings[0].get<std::string>());
  if (warnings.size() > 1) line += fmt::format("{} warnings: see the report.", warnings.size());
  // A warning of several lines would break the table's promise.
  for (char& c : line) c = c == '\n' || c == '\r' ? ' ' : c;
  return line.empty() ? "" : line + "\n";
}

}  // namespace

std::string summary(const Json& report) {
  validate(report, "report.json");
  return headline(report) + "\n" + aligned(table(compare(report))) + goal_sentence(report) + "\n" +
         proof_sentence(report) + " " + cost_sentence(report) + "\n" + warning_line(report);
}

}  // namespace crrm
