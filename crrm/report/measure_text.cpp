#include "crrm/report/measure_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// A measure that the table has room for.
struct Column {
  const char* title;
  const char* measure;               ///< how its name begins
  const char* of_several = measure;  ///< how, where a layer has several
};

constexpr Column kColumns[] = {
    {"TwoNN", "TwoNN"},
    {"GRIDE", "GRIDE plateau"},
    {"alpha", "manifold capacity"},
    {"R_M", "manifold radius"},
    {"D_M", "manifold dimension"},
    {"PR", "participation ratio"},
    {"dR", "coding rate reduction", "coding rate reduction beyond permuted labels"},
    {"I(X;T)", "I(X;T)"},
    {"cluster", "clustering index (", "clustering index (noise 0.1)"},
    {"I(T;Y)>", "I(T;Y), lower bound"},
    {"rate", "gate rate"},
};

constexpr size_t kNameWidth = 26;

/// The end of a long name tells more than its beginning.
std::string shortened(const std::string& name) {
  if (name.size() <= kNameWidth) return name;
  return ".." + name.substr(name.size() - kNameWidth + 2);
}

/// The layer's estimate that stands in a column; null where it has none.
const Json* find(const Json& layer, const Column& column) {
  const auto matches = [&](const char* beginning) {
    std::vector<const Json*> found;
    for (const Json& estimate : layer["estimates"])
      if (estimate["measure"].get<std::string>().starts_with(beginning)) found.push_back(&estimate);
    return found;
  };
  std::vector<const Json*> found = matches(column.measure);
  if (found.size() > 1) found = matches(column.of_several);
  return found.empty() ? nullptr : found.front();
}

/// Letters for reasons, in the order in which the table meets them: one for each measure and kind.
class Footnotes {
 public:
  std::string letter(const Column& column, const Json& estimate) {
    const std::string validity = estimate["validity"], reason = estimate["reason"];
    for (size_t i = 0; i < notes_.size(); ++i) {
      Note& note = notes_[i];
      const bool known =
          std::find(note.titles.begin(), note.titles.end(), column.title) != note.titles.end();
      if (note.validity != validity || (!known && note.reason != reason)) continue;
      if (!known) note.titles.emplace_back(column.title);
      note.alike = note.alike || note.reason != reason;
      return letter(i);
    }
    notes_.push_back({{column.title}, validity, reason, false});
    return letter(notes_.size() - 1);
  }

  std::string text() const {
    std::string all;
    for (size_t i = 0; i < notes_.size(); ++i)
      all += fmt::format("{}  {}, {}: {}{}\n", letter(i), fmt::join(notes_[i].titles, ", "),
                         notes_[i].validity, notes_[i].reason,
                         notes_[i].alike ? " (and alike in other layers)" : "");
    return all;
  }

 private:
  struct Note {
    std::vector<std::string> titles;
    std::string validity, reason;  ///< of the first layer
    bool alike;                    ///< others have other numbers in theirs
  };
  static std::string letter(size_t i) {
    constexpr size_t kLetters = 26;
    const std::string last(1, static_cast<char>('a' + i % kLetters));
    return i < kLetters ? last : letter(i / kLetters - 1) + last;
  }

  std::vector<Note> notes_;
};

/// Three significant digits: "0.0412", "12.3", "1570".
std::string number(double value) {
  const double size = std::abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) return fmt::format("{:.1e}", value);
  return size >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string cell(const Json& layer, const Column& column, Footnotes& notes) {
  const Json* estimate = find(layer, column);
  if (estimate == nullptr) return "";
  const Json& value = (*estimate)["value"];
  if (value.is_null()) return "(" + notes.letter(column, *estimate) + ")";
  const std::string text = number(value);
  return (*estimate)["validity"] == "ok" ? text : text + notes.letter(column, *estimate);
}

/// Columns that some layer has an estimate for.
std::vector<Column> columns_of(const Json& layers) {
  std::vector<Column> columns;
  for (const Column& column : kColumns)
    for (const Json& layer : layers)
      if (find(layer, column) != nullptr) {
        columns.push_back(column);
        break;
      }
  return columns;
}

std::string table(const Json& layers, Footnotes& notes) {
  const std::vector<Column> columns = columns_of(layers);
  std::vector<std::vector<std::string>> lines = {{"layer", "features"}};
  for (const Column& column : columns) lines[0].emplace_back(column.title);
  for (const Json& layer : layers) {
    std::vector<std::string> line = {shortened(layer["name"]), layer["features"].dump()};
    for (const Column& column : columns) line.push_back(cell(layer, column, notes));
    lines.push_back(line);
  }
  std::vector<size_t> widths(lines[0].size(), 0);
  for (const std::vector<std::string>& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const std::vector<std::string>& line : lines) {
    text += fmt::format("{:<{}}", line[0], widths[0]);
    for (size_t i = 1; i < line.size(); ++i) text += fmt::format(" {:>{}}", line[i], widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string measure_summary(const Json& report) {
  const Json& epochs = report["epochs"];
  std::string text =
      fmt::format("{} samples of {} ({}), {} classes\n", report["samples"].get<int64_t>(),
                  report["data"]["path"].get<std::string>(),
                  report["data"]["part"].get<std::string>(), report["classes"].get<int64_t>());
  if (report["partial"]) text += "Partial: it was interrupted.\n";
  if (epochs.empty()) return text;
  if (epochs.size() > 1)
    text += fmt::format("{}, the last of {} checkpoints:\n",
                        epochs.back()["name"].get<std::string>(), epochs.size());
  Footnotes notes;
  text += table(epochs.back()["layers"], notes);
  return text + notes.text();
}

}  // namespace crrm
