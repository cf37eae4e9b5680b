#include "crrm/report/measure_page.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "crrm/report/axis.h"
#include "crrm/report/layer_chart.h"
#include "crrm/report/measure_meanings.h"
#include "crrm/report/measure_schema.h"
#include "crrm/report/measure_table.h"
#include "crrm/report/measured.h"
#include "crrm/report/page.h"
#include "crrm/report/provenance.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const Json& path) {
  const std::filesystem::path file = path.get<std::string>();
  return file.stem().empty() ? file.string() : file.stem().string();
}

std::string headline(const Json& report, const Measured& measured) {
  return fmt::format("What {} layers of {} hold of {} {} samples of {}", measured.layers().size(),
                     name_of(report["model"]["path"]), report["samples"].get<int64_t>(),
                     report["data"]["part"].get<std::string>(), name_of(report["data"]["path"]));
}

// --- The head of the page.

std::string tile(size_t count, const char* name, const char* meaning) {
  return fmt::format(
      "<li><span class=\"value\">{}</span><span class=\"name\">{}</span>"
      "<span class=\"from\">{}</span></li>\n",
      count, name, meaning);
}

/// How many numbers there are, and how many of them to believe.
std::string tiles(const Json& report) {
  size_t sound = 0, doubtful = 0, refused = 0;
  for (const Json& epoch : report["epochs"])
    for (const Json& layer : epoch["layers"])
      for (const Json& estimate : layer["estimates"])
        ++(estimate["value"].is_null() ? refused : estimate["validity"] == "ok" ? sound : doubtful);
  return "<ul class=\"tiles\">\n" + tile(sound, "sound", "nothing speaks against") +
         tile(doubtful, "doubtful", "given, with a reason") +
         tile(refused, "refused", "not given, with a reason") + "</ul>\n";
}

std::string header(const Json& report, const Measured& measured) {
  std::string notices;
  if (report["partial"])
    notices += notice("bad", "Partial.", "It was interrupted: what is here is complete.");
  for (const Json& warning : report["warnings"])
    notices += notice("warn", "Warning.", text_of(warning));
  return fmt::format("<header>\n<p class=\"kicker\">crrm measure</p>\n<h1>{}</h1>\n{}{}</header>\n",
                     escape_html(headline(report, measured)), tiles(report), notices);
}

// --- Charts.

std::string point_text(const Json& layer, const Json& estimate, const std::string& measure,
                       size_t number) {
  std::string text = fmt::format("{} {}, {}: ", number, layer["name"].get<std::string>(), measure);
  const std::string unit = estimate["unit"];
  text += estimate["value"].is_null() ? "refused" : axis_number(estimate["value"]);
  if (!unit.empty() && !estimate["value"].is_null()) text += " " + unit;
  if (estimate["low"].is_number() && estimate["high"].is_number())
    text += fmt::format(" ({} – {})", axis_number(estimate["low"]), axis_number(estimate["high"]));
  const std::string validity = estimate["validity"];
  if (validity != "ok")
    text += fmt::format(". {}: {}", validity, estimate["reason"].get<std::string>());
  return text;
}

LayerPoint point(const Json& layer, const Json& estimate, const std::string& measure,
                 size_t place) {
  LayerPoint point{.layer = place,
                   .value = std::nullopt,
                   .interval = std::nullopt,
                   .sound = estimate["validity"] == "ok",
                   .text = point_text(layer, estimate, measure, place + 1)};
  if (estimate["value"].is_number()) point.value = estimate["value"];
  if (estimate["low"].is_number() && estimate["high"].is_number())
    point.interval = {estimate["low"], estimate["high"]};
  return point;
}

LayerSeries series(const Measured& measured, const std::string& measure) {
  LayerSeries series{.label = measure, .frames = {}};
  for (size_t epoch = 0; epoch < measured.epochs(); ++epoch) {
    series.frames.emplace_back();
    for (size_t layer = 0; layer < measured.layers().size(); ++layer)
      if (const Json* estimate = measured.find(epoch, layer, measure))
        series.frames.back().push_back(point(*measured.layers()[layer], *estimate, measure, layer));
  }
  return series;
}

/// A chart for each of the family's measures, or for several that share their axes.
std::vector<LayerChart> charts(const Measured& measured, const std::string& family) {
  std::vector<LayerChart> charts;
  for (const std::string& measure : measured.measures(family)) {
    const MeasureMeaning* meaning = find_measure(measure);
    const std::string title = meaning ? meaning->chart : measure;
    const std::string unit = measured.example(measure)["unit"];
    auto chart = std::find_if(charts.begin(), charts.end(), [&](const LayerChart& other) {
      return other.title == title && other.unit == unit;
    });
    if (chart == charts.end())
      chart = charts.insert(
          charts.end(),
          {.title = title, .unit = unit, .layers = measured.layers().size(), .series = {}});
    chart->series.push_back(series(measured, measure));
  }
  return charts;
}

std::string figures_of(const Measured& measured, const std::string& family) {
  std::string text;
  for (const LayerChart& chart : charts(measured, family)) text += layer_figure(chart);
  return "<div class=\"charts small\">\n" + text + "</div>\n";
}

// --- Tables and words.

/// The family's tables at each epoch, of which the last is seen at first.
std::string tables(const Measured& measured, const std::string& family) {
  std::string text;
  for (size_t epoch = 0; epoch < measured.epochs(); ++epoch)
    text +=
        fmt::format("<div data-frame=\"{}\"{}>\n{}{}</div>\n", epoch,
                    epoch + 1 < measured.epochs() ? " class=\"off\"" : "",
                    measure_table(measured, family, epoch), detail_table(measured, family, epoch));
  return text;
}

/// "Assumes: ... Source: ..."
std::string terms(const Json& estimate) {
  std::string text;
  for (const auto& [key, name] : {std::pair{"assumptions", "Assumes"}, {"source", "Source"}})
    if (!estimate[key].get<std::string>().empty())
      text += fmt::format("{}: {}. ", name, text_of(estimate[key]));
  return text;
}

/// Measures that the same words are for.
struct Told {
  const MeasureMeaning* meaning;
  const Json* example;
  std::vector<std::string> measures;
};

std::vector<Told> told(const Measured& measured, const std::string& family) {
  std::vector<Told> all;
  for (const std::string& name : measured.measures(family)) {
    const Json& example = measured.example(name);
    const std::string measure = example["measure"];
    const MeasureMeaning* meaning = find_measure(measure);
    auto same = std::find_if(all.begin(), all.end(), [&](const Told& other) {
      return meaning ? other.meaning == meaning : other.measures[0] == measure;
    });
    if (same == all.end())
      same = all.insert(all.end(), {.meaning = meaning, .example = &example, .measures = {}});
    if (same->measures.empty() || same->measures.back() != measure)
      same->measures.push_back(measure);
  }
  return all;
}

std::string meanings(const Measured& measured, const std::string& family) {
  std::string text;
  for (const auto& [meaning, example, measures] : told(measured, family)) {
    const std::string words =
        meaning ? fmt::format("{} {}", escape_html(meaning->meaning), escape_html(meaning->doubt))
                : "";
    text += fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n",
                        escape_html(fmt::format("{}", fmt::join(measures, ", "))), words,
                        terms(*example));
  }
  return "<dl class=\"meanings\">\n" + text + "</dl>\n";
}

std::string family_section(const Measured& measured, const std::string& family) {
  const FamilyMeaning* known = find_family(family);
  return section(
      known ? known->title : escape_html(family), known ? escape_html(known->meaning) : "",
      figures_of(measured, family) + tables(measured, family) + meanings(measured, family));
}

constexpr const char* kMarks =
    "<p class=\"lead\">Filled marks are sound, with a band for their interval (95 % unless the "
    "measure says otherwise). Hollow marks are not to be believed as they stand; those below the "
    "axis were refused. A pointer over a mark, and the letters in the tables, tell why.</p>\n";

}  // namespace

std::string measure_page(const Json& report) {
  validate(report, measure_keys(), "report.json");
  const Measured measured(report);
  std::string families;
  for (const std::string& family : measured.families())
    families += family_section(measured, family);
  std::vector<std::string> labels;
  for (size_t epoch = 0; epoch < measured.epochs(); ++epoch)
    labels.push_back(measured.epoch_label(epoch));
  const std::string origin =
      fact_list({model_facts(report),
                 data_facts(report),
                 {{"samples", report["samples"].dump()}, {"classes", report["classes"].dump()}},
                 machine_facts(report)});
  return page(
      name_of(report["model"]["path"]) + " – crrm measure",
      header(report, measured) + with_slider(labels, kMarks, families) +
          section("Model, data and machine", "", origin) +
          section("Time", "", fact_list({time_facts(report)})) +
          section("Configuration", "The command, and every option’s value as it was resolved.",
                  configuration(report)));
}

}  // namespace crrm
