#include "crrm/cli/config.h"

#include <sstream>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Where a value ends that begins with a quote; npos where it does not end.
size_t end_of_string(const std::string& text) {
  const char quote = text[0];
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"')
      ++i;
    else if (text[i] == quote)
      return i;
  }
  return std::string::npos;
}

std::string without_comment(const std::string& text) {
  return trimmed(text.substr(0, text.find('#')));
}

/// The text of a TOML value: a basic or literal string, a number or a boolean.
std::string text_of(const std::string& value, const Fault& fault) {
  if (value.empty()) throw InputError(fault);
  if (value[0] != '"' && value[0] != '\'') return without_comment(value);
  const size_t end = end_of_string(value);
  if (end == std::string::npos || !without_comment(value.substr(end + 1)).empty())
    throw InputError(fault);
  if (value[0] == '\'') return value.substr(1, end - 1);
  const Json parsed = Json::parse(value.substr(0, end + 1), nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_string()) throw InputError(fault);
  return parsed.get<std::string>();
}

const Option& find_key(const std::string& key, const std::string& command, const Fault& place) {
  std::vector<std::string> known;
  for (const Option* option : options_of(command)) {
    if (!option->configures) continue;
    if (option->name == key) return *option;
    known.push_back(option->name);
  }
  Fault fault = place;
  fault.expected = "an option of crrm " + command;
  fault.found = fmt::format("key \"{}\"", key);
  fault.hint = suggestion(key, known);
  throw InputError(fault);
}

}  // namespace

void read_config(Settings& settings, const std::string& command,
                 const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    Fault fault{.file = file.string(),
                .place = fmt::format("line {}", number),
                .expected = "KEY = VALUE, with texts in quotes",
                .found = line};
    const size_t equals = line.find('=');
    if (equals == std::string::npos) throw InputError(fault);
    const Option& option = find_key(trimmed(line.substr(0, equals)), command, fault);
    const std::string text = text_of(trimmed(line.substr(equals + 1)), fault);
    set(settings, option, text, fmt::format("{}: line {}: {}", file.string(), number, option.name));
  }
}

std::string write_config(const Settings& settings, const std::string& command) {
  std::string text = config_mark(command) + "--config config.toml -o DIR\n";
  const Json all = values(settings, command);
  for (const auto& [key, value] : all.items())  // the folder may move, and the file be run again
    if (key != "output") text += fmt::format("{} = {}\n", key, value.dump());
  return text;
}

}  // namespace crrm::cli
