#include "crrm/report/phases_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/report/page.h"
#include "crrm/report/phases_schema.h"
#include "crrm/report/plane_chart.h"
#include "crrm/report/plot.h"
#include "crrm/report/provenance.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

void check_lengths(const Json& setup, const std::string& place) {
  const size_t epochs = setup["epochs"].size();
  const auto check = [&](const Json& list, const std::string& key) {
    if (list.size() != epochs)
      throw InputError({.file = "report.json",
                        .place = place + "." + key,
                        .expected = fmt::format("a list of {}, one an epoch", epochs),
                        .found = fmt::format("a list of {}", list.size())});
  };
  check(setup["accuracy"], "accuracy");
  for (size_t i = 0; i < setup["curves"].size(); ++i)
    for (const char* key : {"x", "y", "x_low", "x_high"})
      check(setup["curves"][i][key], fmt::format("curves[{}].{}", i, key));
}

// --- Planes.

/// What x may be called: I(X;T) only where the channel is part of the network.
std::string quantity(const Json& channel) {
  return channel["inside"] ? channel["quantity"].get<std::string>() : "clustering index";
}

size_t place_of(const Json& setup, const Json& layer) {
  const Json& layers = setup["layers"];
  return static_cast<size_t>(std::find(layers.begin(), layers.end(), layer) - layers.begin());
}

PlaneCurve plane_curve(const Json& setup, const Json& curve) {
  PlaneCurve found{.layer = place_of(setup, curve["layer"]),
                   .stops = {},
                   .text = fmt::format("{}, seed {}", curve["layer"].get<std::string>(),
                                       curve["seed"].get<int64_t>())};
  for (size_t i = 0; i < curve["x"].size(); ++i) {
    found.stops.emplace_back();
    if (!curve["x"][i].is_number() || !curve["y"][i].is_number()) continue;
    found.stops.back() = {.x = curve["x"][i], .y = curve["y"][i], .bounds = std::nullopt};
    if (curve["x_low"][i].is_number() && curve["x_high"][i].is_number())
      found.stops.back()->bounds = {curve["x_low"][i], curve["x_high"][i]};
  }
  return found;
}

PlaneChart plane(const Json& setup, const Json& channel) {
  PlaneChart chart{
      .title = channel["name"],
      .meaning = channel["inside"] ? "Part of the network." : "Added for the analysis.",
      .x_title = quantity(channel) + ", nats",
      .y_title = "about the labels, nats",
      .layers = setup["layers"].size(),
      .curves = {}};
  for (const Json& curve : setup["curves"])
    if (curve["channel"] == channel["name"]) chart.curves.push_back(plane_curve(setup, curve));
  return chart;
}

std::string planes(const Json& setup) {
  std::string figures;
  for (const Json& channel : setup["channels"]) figures += plane_figure(plane(setup, channel));
  std::vector<std::string> epochs;
  for (const Json& epoch : setup["epochs"]) epochs.push_back("epoch " + epoch.dump());
  const std::vector<std::string> layers = setup["layers"];
  return with_slider(epochs, "",
                     legend(layers) + "<div class=\"charts small\">\n" + figures + "</div>\n");
}

// --- What was seen, in numbers.

std::string change_cell(const Json& change) {
  if (!change["change"].is_number()) return "<td>–</td>";
  std::string interval;
  if (change["low"].is_number() && change["high"].is_number())
    interval = fmt::format("{} – {}", exact_number(change["low"]), exact_number(change["high"]));
  return fmt::format("<td{}>{}<small>{}</small></td>",
                     change["saturated"] ? " class=\"doubtful\"" : "",
                     exact_number(change["change"]), change["saturated"] ? "saturated" : interval);
}

/// Late changes: layers by channels.
std::string changes(const Json& setup) {
  std::string head, rows;
  for (const Json& channel : setup["channels"])
    head += fmt::format("<th scope=\"col\">{}</th>", text_of(channel["name"]));
  for (const Json& layer : setup["layers"]) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", text_of(layer));
    for (const Json& channel : setup["channels"]) {
      const Json& all = setup["verdict"]["changes"];
      const auto change = std::find_if(all.begin(), all.end(), [&](const Json& one) {
        return one["layer"] == layer && one["channel"] == channel["name"];
      });
      rows += change == all.end() ? "<td>–</td>" : change_cell(*change);
    }
    rows += "</tr>\n";
  }
  return fmt::format(
      "<p class=\"lead\">Late change in nats, from where the mean of the other seeds is highest to "
      "the end: mean over seeds and its 95 % interval. A phase needs every channel below zero."
      "</p>\n<div class=\"scroll\"><table "
      "class=\"layers\">\n<thead><tr><td>layer</td>{}</tr></thead>"
      "\n<tbody>\n{}</tbody></table></div>\n",
      head, rows);
}

std::string layer_verdicts(const Json& setup) {
  std::string items;
  for (const Json& layer : setup["verdict"]["layers"])
    items += fmt::format("<li><strong>{}.</strong> {}</li>\n", text_of(layer["layer"]),
                         text_of(layer["text"]));
  return items.empty() ? "" : "<ul class=\"notes\">\n" + items + "</ul>\n";
}

/// Where each curve ends; folded.
std::string ends(const Json& setup) {
  std::string rows;
  for (const Json& curve : setup["curves"]) {
    if (curve["x"].empty()) continue;
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>",
                        text_of(curve["layer"]), text_of(curve["channel"]), curve["seed"].dump());
    for (const char* key : {"x", "x_low", "x_high", "y"}) {
      const Json& last = curve[key].back();
      rows += fmt::format("<td>{}</td>", last.is_number() ? exact_number(last) : "–");
    }
    rows += "</tr>\n";
  }
  return fmt::format(
      "<details><summary>Where each curve ends</summary>\n<div class=\"scroll\"><table>\n"
      "<thead><tr><td>layer</td><th scope=\"col\">channel</th><th scope=\"col\">seed</th>"
      "<th scope=\"col\">x, nats</th><th scope=\"col\">lower bound</th>"
      "<th scope=\"col\">upper bound</th><th scope=\"col\">about the labels, "
      "nats</th></tr></thead>\n"
      "<tbody>\n{}</tbody></table></div></details>\n",
      rows);
}

std::string verdict(const Json& setup) {
  const bool phase = setup["verdict"]["phase"];
  return notice(phase ? "good" : "warn", phase ? "Phase." : "No phase claimed.",
                text_of(setup["verdict"]["text"]));
}

std::string setup_section(const Json& setup) {
  return section(
      text_of(setup["name"]), text_of(setup["meaning"]),
      verdict(setup) + planes(setup) + changes(setup) + layer_verdicts(setup) + ends(setup));
}

// --- All of them.

size_t phases_in(const Json& setups) {
  return static_cast<size_t>(std::count_if(
      setups.begin(), setups.end(), [](const Json& setup) { return setup["verdict"]["phase"]; }));
}

std::string headline(const Json& report) {
  return fmt::format(
      "Compression late in training: claimed in {} of {} set-ups, and in {} of {} controls",
      phases_in(report["setups"]), report["setups"].size(), phases_in(report["controls"]),
      report["controls"].size());
}

std::string summary(const Json& setups) {
  std::string rows;
  for (const Json& setup : setups) {
    const Json& accuracy = setup["accuracy"];
    rows += fmt::format(
        "<tr><th scope=\"row\">{}<small>{}</small></th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        text_of(setup["name"]), text_of(setup["meaning"]),
        accuracy.empty() ? "–" : format_percent(accuracy.back()),
        setup["verdict"]["phase"] ? "claimed" : "not claimed", text_of(setup["verdict"]["text"]));
  }
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table class=\"verdicts\">\n<thead><tr><td></td>"
         "<th scope=\"col\">accuracy</th><th scope=\"col\">phase</th>"
         "<th scope=\"col\">what was seen</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string header(const Json& report) {
  std::string notices;
  if (report["partial"])
    notices += notice("bad", "Partial.", "It was interrupted: what is here is complete.");
  for (const Json& warning : report["warnings"])
    notices += notice("warn", "Warning.", text_of(warning));
  return fmt::format("<header>\n<p class=\"kicker\">crrm phases</p>\n<h1>{}</h1>\n{}</header>\n",
                     escape_html(headline(report)), notices);
}

constexpr const char* kReading =
    "Each plane shows every layer of every training: across, what the layer keeps of the inputs; "
    "upwards, what the same tells about the labels. Thin lines are single seeds; marks stand at "
    "the "
    "epoch of the slider. For a network without noise what a layer keeps of its inputs is infinite "
    "or constant, so a channel must make it finite. One that is part of the network gives I(X;T). "
    "One that was added for the analysis gives a clustering index, whose course may turn with the "
    "channel: then it says something of bins and noise, and nothing of the network.";

constexpr const char* kControls =
    "Networks that cannot have a phase of compression, or whose function does not change. Where "
    "they seem to show one, so may the set-ups above for the same reason.";

}  // namespace

std::string phases_page(const Json& report) {
  validate(report, phases_keys(), "report.json");
  std::string planes;
  for (const char* list : {"setups", "controls"})
    for (size_t i = 0; i < report[list].size(); ++i) {
      check_lengths(report[list][i], fmt::format("{}[{}]", list, i));
      planes += setup_section(report[list][i]);
    }
  return page(
      "crrm phases",
      header(report) + section("Set-ups", kReading, summary(report["setups"])) +
          section("Controls", kControls, summary(report["controls"])) + planes +
          section("Machine", "", fact_list({machine_facts(report)})) +
          section("Time", "", fact_list({time_facts(report)})) +
          section("Configuration", "The command, and every option’s value as it was resolved.",
                  configuration(report)));
}

}  // namespace crrm
