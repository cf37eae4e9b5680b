#include "crrm/report/cost.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"
#include "crrm/report/timing.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// @param cost  with "seconds", "core_hours", "joules" and "total"
std::string listed(const Json& cost) {
  std::vector<std::string> parts = {
      format_duration(cost["seconds"]),
      fmt::format("{:.3g} core-hours", cost["core_hours"].get<double>())};
  if (cost["joules"].is_number()) parts.push_back(format_count(cost["joules"]) + "J");
  if (cost["total"].is_number())
    parts.push_back(fmt::format("price {:.3g}", cost["total"].get<double>()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string name_of(const Json& entry) {
  return fmt::format("1 M samples, {}",
                     describe_timing(entry["runtime"], entry["threads"], entry["batch"]));
}

}  // namespace

std::string cost_sentence(const Json& report) {
  return fmt::format("Took {}.", listed(report["cost"]));
}

std::vector<ComparisonRow> inference_rows(const Json& report) {
  std::vector<ComparisonRow> rows;
  const Json& stages = report["stages"];
  for (const Json& entry : report["cost"]["inference"]) {
    const std::string name = name_of(entry);
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const ComparisonRow& known) { return known.name == name; });
    if (row == rows.end())
      row = rows.insert(rows.end(), {.name = name,
                                     .meaning = "what a million samples take on this machine",
                                     .cells = std::vector<ComparisonCell>(stages.size()),
                                     .brief = false});
    for (size_t s = 0; s < stages.size(); ++s)
      if (stages[s]["name"] == entry["stage"]) row->cells[s].value = listed(entry);
  }
  return rows;
}

}  // namespace crrm
