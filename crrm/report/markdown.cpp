#include "crrm/report/markdown.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crrm/report/comparison.h"
#include "crrm/report/cost.h"
#include "crrm/report/schema.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

std::string cell_text(const ComparisonCell& cell) {
  if (cell.value.empty()) return "–";
  return cell.against.empty() ? cell.value : fmt::format("{} ({})", cell.value, cell.against);
}

std::string table(const Comparison& comparison) {
  std::string head = "| |", rule = "|---|";
  for (const std::string& stage : comparison.stages) {
    head += fmt::format(" {} |", stage);
    rule += "---:|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const ComparisonRow& row : comparison.rows) {
    text += fmt::format("| {} |", escape_markdown(row.name));
    for (const ComparisonCell& cell : row.cells) text += fmt::format(" {} |", cell_text(cell));
    text += "\n";
  }
  return text;
}

std::string proof_lines(const Json& report) {
  std::string text;
  for (const Json& one : report["proof"])
    text += fmt::format("- {}: largest difference {:.3g}, bound {:.3g}, {} inputs, {}: {}\n",
                        escape_markdown(one["what"]), one["max_abs_diff"].get<double>(),
                        one["bound"].get<double>(), one["inputs"].get<uint64_t>(),
                        escape_markdown(one["runtime"]), one["ok"] ? "within" : "**exceeded**");
  return text;
}

}  // namespace

std::string escape_markdown(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      escaped += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]<>#|~&@!").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string markdown(const Json& report) {
  validate(report, "report.json");
  std::string text = fmt::format("**{}**\n\n", escape_markdown(headline(report)));
  if (report["partial"]) text += "Partial: the run ended early.\n\n";
  text += table(compare(report)) + "\n";
  text += fmt::format("{} {} {}\n\n", escape_markdown(goal_sentence(report)),
                      proof_sentence(report), cost_sentence(report));
  text += proof_lines(report);
  for (const Json& warning : report["warnings"])
    text += fmt::format("- Warning: {}\n", escape_markdown(warning));
  return text;
}

}  // namespace crrm
