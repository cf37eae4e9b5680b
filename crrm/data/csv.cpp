// Comma-separated values (RFC 4180): numeric features and one column of labels.
#include <charconv>
#include <cmath>

#include "crrm/base/error.h"
#include "crrm/data/format.h"
#include "crrm/data/inflate.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 33;  // 8 GiB of text when unpacked
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

using Cells = std::vector<std::string>;

[[noreturn]] void reject(const std::string& file, std::string place, std::string expected,
                         std::string found, std::string hint = {}) {
  throw InputError({.file = file,
                    .place = std::move(place),
                    .expected = std::move(expected),
                    .found = std::move(found),
                    .hint = std::move(hint)});
}

/// What an error shows of a cell.
std::string quote(const std::string& cell) {
  constexpr size_t kShown = 60;
  return cell.size() <= kShown ? fmt::format("\"{}\"", cell)
                               : fmt::format("\"{}...\"", cell.substr(0, kShown));
}

/// The records of a text, one after another. Rows count from 1, the header included.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  /// Fills `cells` with the next record that is not an empty line; false at the end.
  bool next(Cells& cells) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
    if (at_ >= text_.size()) return false;
    ++row_;
    size_t count = 0;
    do {
      if (count == cells.size()) cells.emplace_back();
      read_cell(cells[count++]);
    } while (accept(','));
    cells.resize(count);
    end_of_record(count);
    return true;
  }

  int64_t row() const { return row_; }

 private:
  bool accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void read_cell(std::string& cell) {
    if (accept('"')) return read_quoted(cell);
    const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    cell.assign(text_.substr(at_, end - at_));
    at_ = end;
  }

  void read_quoted(std::string& cell) {
    cell.clear();
    do {
      const size_t end = text_.find('"', at_);
      if (end == std::string_view::npos)
        reject(file_, fmt::format("row {}", row_), "a closing quote", "the end of the file");
      cell.append(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (!accept('"')) return;
      cell += '"';
    } while (true);
  }

  void end_of_record(size_t column) {
    if (at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r') return;
    reject(file_, fmt::format("row {}, column {}", row_, column - 1),
           "a comma or the end of the row after a closing quote",
           quote(std::string(1, text_[at_])));
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t row_ = 0;
  std::string file_;
};

std::string_view trim(std::string_view text) {
  const size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t last = text.find_last_not_of(" \t");
  return last == std::string_view::npos ? "" : text.substr(first, last + 1 - first);
}

/// A number in C's notation, whatever the locale; infinities and NaN are numbers here.
std::optional<double> parse_number(std::string_view cell) {
  cell = trim(cell);
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

bool is_number(const std::string& cell) {
  return parse_number(cell).has_value();
}

std::optional<int64_t> parse_index(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Rows as they come in, before it is settled whether the first of them is a header.
class Table {
 public:
  Table(std::string file, const Cells& first, size_t label)
      : file_(std::move(file)), first_(first), label_(label) {}

  /// Appends a row of data. @throws InputError naming row, column and content.
  void add(const Cells& cells, int64_t row) {
    if (cells.size() != first_.size())
      reject(file_, fmt::format("row {}", row),
             fmt::format("{} cells, as row 1 has", first_.size()), fmt::format("{}", cells.size()));
    for (size_t column = 0; column < cells.size(); ++column)
      if (column != label_) features_.push_back(feature(cells[column], row, column));
    const std::string label(trim(cells[label_]));
    if (label.empty()) reject(file_, place(row, label_), "a label", "an empty cell");
    labels_.push_back(classes_.emplace(label, static_cast<int64_t>(classes_.size())).first->second);
  }

  /// Whether row 1 names the columns: none of its features is a number, or its label is none while
  /// all other labels are.
  bool first_is_header() const {
    bool numbers = false;
    for (size_t column = 0; column < first_.size(); ++column)
      numbers = numbers || (column != label_ && is_number(first_[column]));
    return !numbers || (!is_number(first_[label_]) && !classes_.empty() && all_numbers());
  }

  /// Puts row 1 before the others, as data.
  void add_first() {
    const size_t before = features_.size();
    add(first_, 1);
    std::rotate(features_.begin(), features_.begin() + static_cast<ptrdiff_t>(before),
                features_.end());
    std::rotate(labels_.begin(), labels_.end() - 1, labels_.end());
  }

  Dataset finish() {
    const std::vector<std::string> names = sorted_names();
    const int64_t count = static_cast<int64_t>(labels_.size());
    if (count > 2 && static_cast<int64_t>(names.size()) == count)
      reject(file_, fmt::format("label column {}", label_), "labels that several samples share",
             fmt::format("{} different values in {} rows", count, count),
             "name the column of the labels with --label-column");
    std::vector<int64_t> rank(names.size());
    for (size_t k = 0; k < names.size(); ++k)
      rank[static_cast<size_t>(classes_.at(names[k]))] = static_cast<int64_t>(k);
    for (int64_t& label : labels_) label = rank[static_cast<size_t>(label)];
    Dataset data;
    data.inputs =
        at::tensor(features_, at::kFloat).view({count, static_cast<int64_t>(first_.size()) - 1});
    data.labels = at::tensor(labels_, at::kLong);
    data.classes = static_cast<int64_t>(names.size());
    data.class_names = names;
    data.source = file_;
    return data;
  }

 private:
  float feature(const std::string& cell, int64_t row, size_t column) const {
    const std::optional<double> value = parse_number(cell);
    if (!value) reject(file_, place(row, column), "a number", quote(cell));
    const float narrow = static_cast<float>(*value);
    if (!std::isfinite(narrow)) reject(file_, place(row, column), "a finite number", quote(cell));
    return narrow;
  }

  std::string place(int64_t row, size_t column) const {
    const std::string& name = first_[column];
    const bool named = row > 1 && !name.empty() && !is_number(name);
    return fmt::format("row {}, column {}{}", row, column, named ? " (" + name + ")" : "");
  }

  bool all_numbers() const {
    return std::all_of(classes_.begin(), classes_.end(), [](const auto& entry) {
      return std::isfinite(parse_number(entry.first).value_or(NAN));
    });
  }

  /// By value where all labels are numbers, else by their text.
  std::vector<std::string> sorted_names() const {
    std::vector<std::string> names;
    for (const auto& [name, first] : classes_) names.push_back(name);
    std::sort(names.begin(), names.end());
    if (all_numbers())
      std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
        return *parse_number(a) < *parse_number(b);
      });
    return names;
  }

  std::string file_;
  Cells first_;
  size_t label_;
  std::vector<float> features_;
  std::vector<int64_t> labels_;  ///< by first appearance, until finish() sorts the classes
  std::unordered_map<std::string, int64_t> classes_;
};

size_t find_label(const std::string& file, const Cells& first, const std::string& wanted) {
  const int64_t columns = static_cast<int64_t>(first.size());
  if (columns < 2)
    reject(file, "row 1", "at least 2 columns with commas between: features and a label",
           fmt::format("1 column: {}", quote(first[0])));
  if (wanted.empty()) return first.size() - 1;
  if (const std::optional<int64_t> index = parse_index(wanted)) {
    if (*index < -columns || *index >= columns)
      reject(file, "label column", fmt::format("an index from {} to {}", -columns, columns - 1),
             wanted);
    return static_cast<size_t>(*index < 0 ? *index + columns : *index);
  }
  const auto found = std::find(first.begin(), first.end(), wanted);
  if (found == first.end())
    reject(file, "label column", fmt::format("a column of row 1: {}", fmt::join(first, ", ")),
           wanted, suggestion(wanted, first));
  return static_cast<size_t>(found - first.begin());
}

Dataset parse_csv(std::string_view text, const std::string& file, const std::string& label_column) {
  CsvReader reader(text, file);
  Cells cells;
  if (!reader.next(cells)) reject(file, "", "rows of comma-separated values", "an empty file");
  const Cells first = cells;
  const size_t label = find_label(file, first, label_column);
  const bool by_name = !label_column.empty() && !parse_index(label_column);
  Table table(file, first, label);
  while (reader.next(cells)) table.add(cells, reader.row());
  if (!by_name && !table.first_is_header()) table.add_first();
  return table.finish();
}

bool matches(const fs::path& path) {
  const std::string name = path.filename().string();
  return fs::is_regular_file(path) && (name.ends_with(".csv") || name.ends_with(".csv.gz"));
}

RawData load(const fs::path& path, const DataOptions& options) {
  HashedFiles files;
  std::string text = files.read(path);
  if (is_gzip(text)) text = gunzip(text, kMostBytes, path.string());
  RawData raw;
  raw.train = parse_csv(text, path.string(), options.label_column);
  raw.train.sha256 = files.sha256();
  raw.single = true;
  return raw;
}

const FormatRegistration registered(
    {.name = "CSV",
     .look = "NAME.csv or NAME.csv.gz with numbers and a label column",
     .matches = matches,
     .load = load});

}  // namespace
}  // namespace crrm
