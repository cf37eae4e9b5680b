#include "crrm/report/measure_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "crrm/report/page.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// Reasons why numbers are refused or doubtful, each with a letter, in the order of the table.
class Notes {
 public:
  /// @param layer  its number in the table
  std::string letter(const Json& estimate, size_t layer) {
    const std::string kind = fmt::format("{}, {}", estimate["measure"].get<std::string>(),
                                         estimate["validity"].get<std::string>());
    size_t i = 0;
    while (i < notes_.size() && notes_[i].kind != kind) ++i;
    if (i == notes_.size()) notes_.push_back({.kind = kind, .reasons = {}});
    notes_[i].add(estimate["reason"], layer);
    return letter(i);
  }

  std::string list() const {
    std::string items;
    for (size_t i = 0; i < notes_.size(); ++i) {
      items += fmt::format("<li><sup>{}</sup> <strong>{}.</strong>", letter(i),
                           escape_html(notes_[i].kind));
      for (const auto& [reason, layers] : notes_[i].reasons)
        items += fmt::format(" {} {}: {}.", layers.size() == 1 ? "Layer" : "Layers",
                             fmt::join(layers, ", "), escape_html(reason));
      items += "</li>\n";
    }
    return items.empty() ? "" : fmt::format("<ul class=\"notes\">\n{}</ul>\n", items);
  }

 private:
  struct Note {
    std::string kind;
    std::vector<std::pair<std::string, std::vector<size_t>>> reasons;  // and their layers

    void add(const std::string& reason, size_t layer) {
      auto same = std::find_if(reasons.begin(), reasons.end(),
                               [&](const auto& other) { return other.first == reason; });
      if (same == reasons.end()) same = reasons.insert(same, {reason, {}});
      if (same->second.empty() || same->second.back() != layer) same->second.push_back(layer);
    }
  };

  static std::string letter(size_t i) {
    constexpr size_t kLetters = 26;
    const std::string last(1, static_cast<char>('a' + i % kLetters));
    return i < kLetters ? last : letter(i / kLetters - 1) + last;
  }

  std::vector<Note> notes_;
};

std::string value_cell(const Json* estimate, size_t layer, Notes& notes) {
  if (estimate == nullptr) return "<td>–</td>";
  const Json& value = (*estimate)["value"];
  const bool sound = (*estimate)["validity"] == "ok";
  const std::string mark =
      sound ? "" : fmt::format("<sup>{}</sup>", notes.letter(*estimate, layer));
  if (value.is_null()) return fmt::format("<td class=\"refused\">refused{}</td>", mark);
  std::string interval;
  if ((*estimate)["low"].is_number() && (*estimate)["high"].is_number())
    interval = fmt::format("<small>{} – {}</small>", exact_number((*estimate)["low"]),
                           exact_number((*estimate)["high"]));
  return fmt::format("<td{}>{}{}{}</td>", sound ? "" : " class=\"doubtful\"", exact_number(value),
                     mark, interval);
}

std::string extents(const Json& shape) {
  std::vector<int64_t> all = shape;
  return fmt::format("{}", fmt::join(all, "×"));
}

std::string layer_head(const Json& layer, size_t number) {
  std::string below = text_of(layer["op"]) + " " + extents(layer["shape"]);
  if (layer["projected"].is_number())
    below += fmt::format(", projected to {}", layer["projected"].get<int64_t>());
  return fmt::format("<th scope=\"row\">{} {}<small>{}</small></th>", number,
                     text_of(layer["name"]), below);
}

std::string table(const std::string& head, const std::string& rows) {
  return fmt::format(
      "<div class=\"scroll\"><table class=\"layers\">\n<thead><tr><td>layer</td>{}</tr></thead>\n"
      "<tbody>\n{}</tbody></table></div>\n",
      head, rows);
}

std::string column_head(const std::string& name, const std::string& unit) {
  return fmt::format("<th scope=\"col\">{}<small>{}</small></th>", escape_html(name),
                     escape_html(unit));
}

/// "k 5, duplicates 12"
std::string details_of(const Json& estimate) {
  std::string text;
  for (const auto& [name, value] : estimate["details"].items())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", escape_html(name),
                        value.is_number() ? exact_number(value) : "none");
  return text;
}

}  // namespace

std::string measure_table(const Measured& measured, const std::string& family, size_t epoch) {
  const std::vector<std::string>& measures = measured.measures(family);
  std::string head, rows;
  for (const std::string& measure : measures)
    head += column_head(measure, measured.example(measure)["unit"]);
  Notes notes;
  for (size_t layer = 0; layer < measured.layers().size(); ++layer) {
    rows += "<tr>" + layer_head(*measured.layers()[layer], layer + 1);
    for (const std::string& measure : measures)
      rows += value_cell(measured.find(epoch, layer, measure), layer + 1, notes);
    rows += "</tr>\n";
  }
  return table(head, rows) + notes.list();
}

std::string detail_table(const Measured& measured, const std::string& family, size_t epoch) {
  std::string rows;
  for (size_t layer = 0; layer < measured.layers().size(); ++layer)
    for (const std::string& measure : measured.measures(family)) {
      const Json* estimate = measured.find(epoch, layer, measure);
      if (estimate == nullptr) continue;
      rows +=
          fmt::format("<tr><th scope=\"row\">{} {}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                      layer + 1, text_of((*measured.layers()[layer])["name"]), escape_html(measure),
                      (*estimate)["samples"].dump(), details_of(*estimate));
    }
  return fmt::format("<details><summary>What each number rests on</summary>\n{}</details>\n",
                     table("<th scope=\"col\">measure</th><th scope=\"col\">samples</th>"
                           "<th scope=\"col\">details</th>",
                           rows));
}

}  // namespace crrm
