#include "crrm/report/html.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"
#include "crrm/report/comparison.h"
#include "crrm/report/page.h"
#include "crrm/report/provenance.h"
#include "crrm/report/schema.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// A sign that stands as high as digits do.
std::string typeset(const std::string& number) {
  std::string text = escape_html(number);
  if (text.starts_with("-")) text.replace(0, 1, "−");
  return text;
}

// --- The head of the page.

std::string notices(const Json& report) {
  std::string text;
  if (report["partial"])
    text += notice("bad", "Partial.", "The run ended early: the figures are those it had reached.");
  text += notice(goals_met(report) ? "good" : "bad", "", escape_html(goal_sentence(report)));
  for (const Json& warning : report["warnings"])
    text += notice("warn", "Warning.", text_of(warning));
  return text;
}

std::string tile(const std::string& value, const std::string& name, const std::string& from_to) {
  return fmt::format(
      "<li><span class=\"value\">{}</span><span class=\"name\">{}</span>"
      "<span class=\"from\">{}</span></li>\n",
      typeset(value), escape_html(name), typeset(from_to));
}

/// The key figures: the last stage against the first.
std::string tiles(const Comparison& comparison) {
  std::string text;
  for (const ComparisonRow& row : comparison.rows) {
    const ComparisonCell& last = row.cells.back();
    if (row.key && !last.against.empty())
      text += tile(last.against, row.name, row.cells.front().value + " → " + last.value);
  }
  return text.empty() ? "" : "<ul class=\"tiles\">\n" + text + "</ul>\n";
}

std::string header(const Json& report, const Comparison& comparison) {
  return fmt::format("<header>\n<p class=\"kicker\">crrm report</p>\n<h1>{}</h1>\n{}{}</header>\n",
                     escape_html(headline(report)), tiles(comparison), notices(report));
}

// --- Stages side by side.

std::string stage_table(const Comparison& comparison) {
  std::string text = "<div class=\"scroll\"><table class=\"stages\">\n<thead><tr><td></td>";
  for (const std::string& stage : comparison.stages)
    text += fmt::format("<th scope=\"col\">{}</th>", escape_html(stage));
  text += "</tr></thead>\n<tbody>\n";
  for (const ComparisonRow& row : comparison.rows) {
    text += fmt::format("<tr><th scope=\"row\">{}<small>{}</small></th>", escape_html(row.name),
                        escape_html(row.meaning));
    for (const ComparisonCell& cell : row.cells)
      text += fmt::format("<td>{}<small>{}</small></td>",
                          cell.value.empty() ? "–" : typeset(cell.value), typeset(cell.against));
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

constexpr const char* kStagesMeaning =
    "Dense is the model as it came. Masked multiplies superfluous units by zero, cut removes them, "
    "recalibrated takes batch-norm statistics anew, final has trained further. Below each figure: "
    "what it is of, or against, the dense model’s. All were measured on the machine named below.";

// --- Curves over steps, drawn by page.js.

/// One line of a chart.
struct Series {
  const char* key;  // in curve[]
  const char* label;
};

struct Chart {
  const char* title;
  const char* meaning;
  const char* format;  // how page.js writes its values
  bool logarithmic;
  std::vector<Series> series;  // the second is dashed
};

const std::vector<Chart>& charts() {
  static const std::vector<Chart> all = {
      {"Metric",
       "Of the masked network on held-out data.",
       "metric",
       false,
       {{"held_out_metric", "held out"}}},
      {"Metric of the averaged weights",
       "Of the masked network on held-out data: what the end of the run would about give, and what "
       "is allowed. The network shrinks while there is room between the two.",
       "metric",
       false,
       {{"averaged_metric", "averaged"}, {"lowest_metric", "allowed"}}},
      {"Cost",
       "What the network would cost if it were cut at this step, and what it should cost.",
       "count",
       false,
       {{"cost", "cost"}, {"goal_cost", "goal"}}},
      {"Compression weight β",
       "The water level in nats, on a logarithmic axis: units whose information per cost lies "
       "below it are closed.",
       "plain",
       true,
       {{"beta", "β"}}},
      {"Total rate",
       "Information in nats that the open gates pass, summed over units. It bounds what the layers "
       "tell each other only together with the data’s own term.",
       "plain",
       false,
       {{"rate_nats", "rate"}}}};
  return all;
}

Json points_of(const Json& curve, const Series& series, bool positive) {
  Json points = Json::array();
  for (const Json& entry : curve) {
    const Json& value = entry[series.key];
    if (!value.is_number() || (positive && value.get<double>() <= 0)) continue;
    points.push_back({{"x", entry["step"]}, {"y", value}});
  }
  return points;
}

Json chart_json(const Json& report, const Chart& chart) {
  const bool share = is_share(report["stages"][0]["metric"]["name"]);
  const std::string format = chart.format != std::string("metric") ? chart.format
                             : share                               ? "percent"
                                                                   : "plain";
  Json json = {{"title", chart.title}, {"meaning", chart.meaning}, {"x", "step"},
               {"format", format},     {"log", chart.logarithmic}, {"series", Json::array()}};
  for (const Series& series : chart.series) {
    const Json points = points_of(report["curve"], series, chart.logarithmic);
    if (!points.empty()) json["series"].push_back({{"label", series.label}, {"points", points}});
  }
  return json;
}

std::string curves(const Json& report) {
  Json data = Json::array();
  for (const Chart& chart : charts())
    if (Json json = chart_json(report, chart); !json["series"].empty())
      data.push_back(std::move(json));
  return figures(data);
}

// --- Widths before and after.

/// A bar as long as `of`, filled as far as `kept`; both relative to the longest.
std::string bar(double kept, double of, double longest, bool frozen) {
  const double scale = longest > 0 ? 100 / longest : 0;
  return fmt::format(
      "<span class=\"bar{}\"><span class=\"of\" style=\"width:{:.2f}%\"></span><span "
      "class=\"kept\" "
      "style=\"width:{:.2f}%\"></span></span>",
      frozen ? " frozen" : "", of * scale, kept * scale);
}

std::string why(const Json& frozen) {
  return frozen.is_string() ? fmt::format("<span class=\"why\">frozen: {}</span>", text_of(frozen))
                            : "";
}

std::string extents(const Json& dims) {
  std::vector<uint64_t> all = dims;
  return all.empty() ? "gone" : fmt::format("{}", fmt::join(all, "×"));
}

double width_of(const Json& dims) {
  return dims.empty() ? 0 : dims[0].get<double>();
}

std::string layer_bars(const Json& report) {
  double longest = 0;
  for (const Json& layer : report["layers"]) longest = std::max(longest, width_of(layer["before"]));
  std::string text;
  for (const Json& layer : report["layers"]) {
    const double before = width_of(layer["before"]);
    const double after = width_of(layer["after"]);
    text += fmt::format(
        "<li><span class=\"what\">{}{}</span>{}<span class=\"much\">{:.0f} → {:.0f}</span>"
        "<span class=\"dims\">{} → {}</span></li>\n",
        text_of(layer["name"]), why(layer["frozen"]),
        bar(after, before, longest, layer["frozen"].is_string()), before, after,
        extents(layer["before"]), extents(layer["after"]));
  }
  return text.empty() ? "" : "<ul class=\"bars\">\n" + text + "</ul>\n";
}

std::string member_list(const Json& members) {
  std::string text;
  for (const Json& member : members) text += fmt::format("<li>{}</li>", text_of(member));
  return fmt::format("<details><summary>{} parameter ax{}</summary><ul>{}</ul></details>",
                     members.size(), members.size() == 1 ? "is" : "es", text);
}

std::string group_bars(const Json& report) {
  double longest = 0;
  for (const Json& group : report["groups"]) longest = std::max(longest, group["of"].get<double>());
  std::string text;
  for (const Json& group : report["groups"]) {
    const double kept = group["kept"];
    const double of = group["of"];
    text += fmt::format(
        "<li><span class=\"what\">{}{}{}</span>{}<span class=\"much\">{:.0f} → {:.0f}</span>"
        "<span class=\"dims\">{} parameters, {} MACs each</span></li>\n",
        text_of(group["name"]), why(group["frozen"]), member_list(group["members"]),
        bar(kept, of, longest, group["frozen"].is_string()), of, kept,
        format_count(group["units_cost_params"]), format_count(group["units_cost_macs"]));
  }
  return text.empty() ? "" : "<ul class=\"bars\">\n" + text + "</ul>\n";
}

constexpr const char* kBarsKey =
    "<span class=\"keys\"><span class=\"key\"><span class=\"swatch kept\"></span>kept</span> "
    "<span class=\"key\"><span class=\"swatch of\"></span>removed</span> "
    "<span class=\"key\"><span class=\"swatch frozen\"></span>frozen: could not be "
    "touched</span></span>";

// --- Proof, files, and what the run was.

std::string proof_table(const Json& report) {
  std::string rows;
  for (const Json& one : report["proof"])
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{:.3g}</td><td>{:.3g}</td><td>{:.3g}</td><td>{}</td>"
        "<td>{}</td><td class=\"{}</td></tr>\n",
        text_of(one["what"]), one["max_abs_diff"].get<double>(), one["max_rel_diff"].get<double>(),
        one["bound"].get<double>(), one["inputs"].get<uint64_t>(), text_of(one["runtime"]),
        one["ok"] ? "good\">within" : "bad\">exceeded");
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table>\n<thead><tr><td></td><th scope=\"col\">largest "
         "difference</th>"
         "<th scope=\"col\">relative</th><th scope=\"col\">bound</th><th scope=\"col\">inputs</th>"
         "<th scope=\"col\">run by</th><th scope=\"col\">result</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string file_table(const Json& report) {
  std::string rows;
  for (const Json& file : report["files"])
    rows +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"hash\">{}</td></tr>\n",
                    text_of(file["path"]), format_bytes(file["bytes"]), text_of(file["sha256"]));
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table>\n<thead><tr><td></td><th scope=\"col\">size</th>"
         "<th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string origin(const Json& report) {
  const Json& samples = report["data"]["samples"];
  return fact_list(
      {model_facts(report),
       {{"batch normalisation", report["model"]["unfolded"] ? "put back where it was folded" : ""}},
       data_facts(report),
       {{"samples", fmt::format("{} to train on, {} held out, {} to test", samples["train"].dump(),
                                samples["held_out"].dump(), samples["test"].dump())},
        {"split", text_of(report["data"]["split"])}},
       machine_facts(report)});
}

std::string spent(const Json& report) {
  Facts values = time_facts(report);
  const Json& cost = report["cost"];
  values.emplace_back("core-hours", fmt::format("{:.3g}", cost["core_hours"].get<double>()));
  if (cost["joules"].is_number()) values.emplace_back("energy", format_count(cost["joules"]) + "J");
  if (cost["total"].is_number())
    values.emplace_back("cost", fmt::format("{:.2f}", cost["total"].get<double>()));
  if (cost["price_per_hour"].is_number())
    values.emplace_back("price per hour",
                        fmt::format("{:.2f}", cost["price_per_hour"].get<double>()));
  return fact_list({values});
}

}  // namespace

std::string html(const Json& report) {
  validate(report, "report.json");
  const Comparison comparison = compare(report);
  std::string body = header(report, comparison);
  body += section("Stages", kStagesMeaning, stage_table(comparison));
  body += section("The run", "One point a measured step of the optimiser.", curves(report));
  body += section("Widths of layers",
                  fmt::format("Outputs of each layer, before and after. {}", kBarsKey),
                  layer_bars(report));
  body +=
      section("Groups",
              fmt::format("Units that are kept or removed as a whole, since they share the same "
                          "axes, and what each costs. {}",
                          kBarsKey),
              group_bars(report));
  body +=
      section("Proof",
              escape_html(proof_sentence(report)) +
                  " Both networks of a line ran on the same inputs; a file is written only when "
                  "every difference lies within its bound.",
              proof_table(report));
  body += section("Files", "What the run wrote, relative to its folder.", file_table(report));
  body += section("Model, data and machine", "", origin(report));
  body += section("Time and cost", "", spent(report));
  body += section("Configuration", "The command, and every option’s value as it was resolved.",
                  configuration(report));
  return page(model_name(report) + " – crrm report", body);
}

}  // namespace crrm
