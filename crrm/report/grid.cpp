#include "crrm/report/grid.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "crrm/base/amount.h"
#include "crrm/report/comparison.h"
#include "crrm/report/markdown.h"
#include "crrm/report/page.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

const Json* find_stage(const Json& report, const std::string& name) {
  for (const Json& stage : report["stages"])
    if (stage["name"] == name) return &stage;
  return nullptr;
}

Json figures_of(const Json* stage) {
  if (stage == nullptr) return nullptr;
  const Json& metric = (*stage)["metric"];
  return {{"metric", metric["test"].is_number() ? metric["test"] : metric["held_out"]},
          {"macs", (*stage)["macs"]},
          {"params", (*stage)["params"]}};
}

Json statistics(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {{"mean", mean},
          {"deviation", values.size() > 1 ? Json(std::sqrt(squares / (n - 1))) : Json()}};
}

bool same(const Json& a, const Json& b, const std::vector<const char*>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const char* key) { return a[key] == b[key]; });
}

/// Figures of the cells' `stage`, where they have them.
std::vector<double> collect(const std::vector<const Json*>& cells, const char* stage,
                            const char* figure) {
  std::vector<double> values;
  for (const Json* cell : cells)
    if (const Json& found = (*cell)[stage]; found.is_object() && found[figure].is_number())
      values.push_back(found[figure]);
  return values;
}

/// The model as it came, from any run of it: a run from scratch does not know it.
const Json* dense_of(const Json& cells, const Json& model) {
  for (const Json& cell : cells)
    if (cell["model"] == model && cell["dense"].is_object()) return &cell["dense"];
  return nullptr;
}

Json shares(std::vector<double> values, const Json* dense, const char* figure) {
  if (dense == nullptr) return nullptr;
  for (double& value : values) value /= (*dense)[figure].get<double>();
  return statistics(values);
}

Json row_of(const std::vector<const Json*>& cells, const Json* dense) {
  const Json& first = *cells.front();
  const int64_t failed = std::count_if(
      cells.begin(), cells.end(), [](const Json* cell) { return !(*cell)["error"].is_null(); });
  Json metric;
  std::vector<double> seconds;
  for (const Json* cell : cells)
    if ((*cell)["error"].is_null()) {
      metric = (*cell)["metric"];
      seconds.push_back((*cell)["seconds"]);
    }
  const Json mean_seconds = statistics(seconds);
  return {{"model", first["model"]},
          {"budget", first["budget"]},
          {"method", first["method"]},
          {"metric", metric},
          {"runs", cells.size()},
          {"failed", failed},
          {"dense", dense == nullptr ? Json() : (*dense)["metric"]},
          {"macs", shares(collect(cells, "final", "macs"), dense, "macs")},
          {"params", shares(collect(cells, "final", "params"), dense, "params")},
          {"cut", statistics(collect(cells, "cut", "metric"))},
          {"final", statistics(collect(cells, "final", "metric"))},
          {"seconds", mean_seconds.is_null() ? Json() : mean_seconds["mean"]}};
}

// --- Tables.

/// "90.61 ± 0.12 %" of a share, "1.234 ± 0.1" of any other metric.
std::string with_deviation(const Json& metric, const Json& figure) {
  if (figure.is_null()) return "–";
  const std::string mean = format_metric(metric, figure["mean"]);
  if (figure["deviation"].is_null()) return mean;
  const double deviation = figure["deviation"];
  if (!is_share(metric)) return fmt::format("{} ± {:.2g}", mean, deviation);
  return fmt::format("{:.2f} ± {:.2f} %", 100 * figure["mean"].get<double>(), 100 * deviation);
}

std::string share(const Json& figure) {
  return figure.is_null() ? "–" : format_percent(figure["mean"]);
}

struct Table {
  std::string title;  ///< "lenet5: accuracy, 91.20 % before"
  std::vector<std::vector<std::string>> lines;
};

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names = {"budget",     "method",     "MACs", "parameters",
                                                 "at the cut", "at the end", "runs", "time a run"};
  return names;
}

std::vector<std::string> models_of(const Json& rows) {
  std::vector<std::string> models;
  for (const Json& row : rows)
    if (std::find(models.begin(), models.end(), row["model"]) == models.end())
      models.push_back(row["model"]);
  return models;
}

std::string title_of(const Json& rows, const std::string& model) {
  for (const Json& row : rows)
    if (row["model"] == model && row["dense"].is_number() && row["metric"].is_string())
      return fmt::format("{}: {}, {} before", model, row["metric"].get<std::string>(),
                         format_metric(row["metric"], row["dense"]));
  return model;
}

Table table_of(const Json& rows, const std::string& model) {
  Table table{title_of(rows, model), {}};
  for (const Json& row : rows) {
    if (row["model"] != model) continue;
    const int64_t runs = row["runs"], failed = row["failed"];
    table.lines.push_back(
        {row["budget"], row["method"], share(row["macs"]), share(row["params"]),
         with_deviation(row["metric"], row["cut"]), with_deviation(row["metric"], row["final"]),
         failed == 0 ? fmt::format("{}", runs) : fmt::format("{} of {}", runs - failed, runs),
         row["seconds"].is_null() ? "–" : format_duration(row["seconds"])});
  }
  return table;
}

std::string failures(const Json& cells, const std::string& form,
                     const std::function<std::string(const std::string&)>& escape) {
  std::string text;
  for (const Json& cell : cells)
    if (cell["error"].is_string())
      text += fmt::format(fmt::runtime(form), escape(cell["folder"].get<std::string>()),
                          escape(cell["error"].get<std::string>()));
  return text;
}

std::string html_table(const Table& table) {
  std::string text = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const std::string& name : columns()) text += fmt::format("<th scope=\"col\">{}</th>", name);
  text += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& line : table.lines) {
    text += "<tr>";
    for (const std::string& cell : line) text += fmt::format("<td>{}</td>", escape_html(cell));
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

// --- Plots.

/// One series a method: the metric over a cost, one point a budget.
Json chart(const Json& rows, const std::string& model, const char* stage, const char* cost) {
  const bool macs = cost == std::string_view("macs");
  Json chart = {
      {"title", stage == std::string_view("cut") ? "At the cut" : "At the end"},
      {"meaning", stage == std::string_view("cut") ? "Units removed, nothing trained since."
                                                   : "After the last epoch."},
      {"x", macs ? "MACs of dense" : "parameters of dense"},
      {"x_format", "percent"},
      {"format", "plain"},
      {"log", false},
      {"compares", true},
      {"series", Json::array()}};
  for (const Json& row : rows) {
    if (row["model"] != model || row[stage].is_null() || row[cost].is_null()) continue;
    if (is_share(row["metric"])) chart["format"] = "percent";
    Json& all = chart["series"];
    auto series = std::find_if(all.begin(), all.end(),
                               [&](const Json& one) { return one["label"] == row["method"]; });
    if (series == all.end()) {
      all.push_back({{"label", row["method"]}, {"points", Json::array()}});
      series = all.end() - 1;
    }
    Json point = {{"x", row[cost]["mean"]}, {"y", row[stage]["mean"]}};
    if (row[stage]["deviation"].is_number()) point["d"] = row[stage]["deviation"];
    (*series)["points"].push_back(std::move(point));
  }
  for (Json& series : chart["series"])
    std::sort(series["points"].begin(), series["points"].end(),
              [](const Json& a, const Json& b) { return a["x"] < b["x"]; });
  return chart;
}

}  // namespace

Json grid_cell(const Json& labels, const Json& report) {
  Json cell = labels;
  cell["metric"] = report["stages"].back()["metric"]["name"];
  cell["dense"] = figures_of(find_stage(report, "dense"));
  cell["cut"] = figures_of(find_stage(report, "cut"));
  cell["final"] = figures_of(find_stage(report, "final"));
  cell["seconds"] = report["seconds"]["total"];
  cell["error"] = nullptr;
  return cell;
}

Json failed_cell(const Json& labels, const std::string& error) {
  Json cell = labels;
  for (const char* key : {"metric", "dense", "cut", "final", "seconds"}) cell[key] = nullptr;
  cell["error"] = error;
  return cell;
}

Json grid_rows(const Json& cells) {
  std::vector<std::vector<const Json*>> groups;
  for (const Json& cell : cells) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& others) {
      return same(*others.front(), cell, {"model", "budget", "method"});
    });
    if (group == groups.end())
      groups.push_back({&cell});
    else
      group->push_back(&cell);
  }
  Json rows = Json::array();
  for (const std::vector<const Json*>& group : groups)
    rows.push_back(row_of(group, dense_of(cells, (*group.front())["model"])));
  return rows;
}

std::string grid_markdown(const Json& bench) {
  std::string text;
  for (const std::string& model : models_of(bench["rows"])) {
    const Table table = table_of(bench["rows"], model);
    text += fmt::format("**{}**\n\n", escape_markdown(table.title));
    std::string rule;
    for (const std::string& name : columns()) {
      text += fmt::format("| {} ", name);
      rule += "|---";
    }
    text += fmt::format("|\n{}|\n", rule);
    for (const std::vector<std::string>& line : table.lines) {
      for (const std::string& cell : line) text += fmt::format("| {} ", escape_markdown(cell));
      text += "|\n";
    }
    text += "\n";
  }
  return text + failures(bench["cells"], "- {}: {}\n", &escape_markdown);
}

std::string grid_html(const Json& bench) {
  const Json& rows = bench["rows"];
  std::string body =
      "<header>\n<p class=\"kicker\">crrm bench</p>\n<h1>Methods at equal budget, "
      "schedule and seeds</h1>\n</header>\n";
  Json charts = Json::array();
  for (const std::string& model : models_of(rows)) {
    const Table table = table_of(rows, model);
    body += section(escape_html(table.title),
                    "Mean and deviation over seeds, on test data where there are any.",
                    html_table(table));
    for (const char* cost : {"macs", "params"})
      for (const char* stage : {"cut", "final"})
        if (Json one = chart(rows, model, stage, cost); !one["series"].empty()) {
          if (models_of(rows).size() > 1)
            one["title"] = fmt::format("{}: {}", model, one["title"].get<std::string>());
          charts.push_back(std::move(one));
        }
  }
  body += section("Metric against cost", "Whiskers are one deviation over seeds up and down.",
                  figures(charts));
  body += section("Runs that failed", "",
                  failures(bench["cells"], "<p class=\"notice bad\"><strong>{}</strong> {}</p>\n",
                           &escape_html));
  return page("crrm bench", body);
}

}  // namespace crrm
