#include "crrm/cli/command.h"

#include <CLI/CLI.hpp>

#include "crrm/base/error.h"
#include "crrm/cli/config.h"
#include "crrm/cli/wrapped_text.h"

namespace crrm::cli {

namespace fs = std::filesystem;

namespace {

constexpr size_t kColumn = 26;  // where the meaning of an option begins
constexpr size_t kWidth = 79;

std::vector<Command>& registry() {
  static std::vector<Command> all;
  return all;
}

std::string form(const Option& option) {
  if (option.positional) return option.unit;
  std::string text =
      (option.letter.empty() ? "    " : "-" + option.letter + ", ") + "--" + option.name;
  if (std::holds_alternative<std::optional<bool> Settings::*>(option.field))
    text = "    --[no-]" + option.name;
  return option.unit.empty() ? text : text + " " + option.unit;
}

std::string meaning(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty()) text += fmt::format(": {}", fmt::join(option.choices, ", "));
  if (option.range) text += ", " + describe(*option.range);
  if (const std::string standard = default_text(option); !standard.empty())
    text += fmt::format(" [{}]", standard);
  return text;
}

std::string help_line(const Option& option) {
  std::string line = "  " + form(option);
  line += line.size() + 2 > kColumn ? "\n" + std::string(kColumn, ' ')
                                    : std::string(kColumn - line.size(), ' ');
  return line + wrapped(meaning(option), kColumn, kWidth) + "\n";
}

/// What the line said, in its order: option and text.
using Words = std::vector<std::pair<const Option*, std::string>>;

void add(CLI::App& app, const Option& option, Words& words) {
  if (option.positional) {
    app.add_option_function<std::string>(
        option.name, [&](const std::string& text) { words.emplace_back(&option, text); });
    return;
  }
  std::string names = "--" + option.name;
  if (!option.letter.empty()) names = "-" + option.letter + "," + names;
  if (!is_switch(option)) {
    app.add_option_function<std::string>(
           names, [&](const std::string& text) { words.emplace_back(&option, text); })
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return;
  }
  if (std::holds_alternative<std::optional<bool> Settings::*>(option.field))
    names += ",!--no-" + option.name;
  app.add_flag_function(
      names, [&](int64_t count) { words.emplace_back(&option, count > 0 ? "true" : "false"); });
}

/// The option that was meant, or where all are listed.
std::string hint_for(const Command& command, const std::string& word) {
  std::vector<std::string> known;
  for (const Option* option : options_of(command.name))
    if (!option->positional) known.push_back("--" + option->name);
  const std::string near =
      word.starts_with("-") ? nearest(word.substr(0, word.find('=')), known) : "";
  return near.empty() ? fmt::format("crrm {} --help lists them", command.name)
                      : fmt::format("did you mean {}?", near);
}

[[noreturn]] void refuse_extra(const Command& command, const std::string& word) {
  throw InputError(
      {.file = fmt::format("crrm {}", command.name),
       .place = word,
       .expected = word.starts_with("-") ? "an option of this command" : "no further argument",
       .found = fmt::format("\"{}\"", word),
       .hint = hint_for(command, word)});
}

Words read_line(const Command& command, const std::vector<std::string>& line) {
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  Words words;
  for (const Option* option : options_of(command.name)) add(app, *option, words);
  std::vector<std::string> reversed(line.rbegin(), line.rend());  // CLI11 reads from the back
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    throw InputError({.file = fmt::format("crrm {}", command.name),
                      .place = error.what(),
                      .hint = fmt::format("crrm {} --help lists the options", command.name)});
  }
  if (const std::vector<std::string> extra = app.remaining(); !extra.empty())
    refuse_extra(command, extra.front());
  return words;
}

std::string origin(const Option& option) {
  return option.positional ? option.unit : "--" + option.name;
}

bool says(const Words& words, const std::string& name) {
  return std::any_of(words.begin(), words.end(),
                     [&](const auto& word) { return word.first->name == name; });
}

/// @throws InputError naming the first argument that is required and not there.
void require(const Settings& settings, const Command& command) {
  for (const Option* option : options_of(command.name))
    if (option->need == Need::required && value(settings, *option).is_null())
      throw InputError({.file = fmt::format("crrm {}", command.name),
                        .place = origin(*option),
                        .expected = option->help,
                        .found = "nothing",
                        .hint = "for example: " + command.example});
}

/// `run` behind what holds for every command.
std::function<int(Settings, const Invocation&)> checked(Command command) {
  return [command = std::move(command)](Settings settings, const Invocation& invocation) {
    require(settings, command);
    try {
      return command.run(std::move(settings), invocation);
    } catch (const fs::filesystem_error& error) {
      throw InputError({.file = error.path1().string(),
                        .expected = "a path that the file system takes",
                        .found = error.code().message()});
    }
  };
}

}  // namespace

const std::vector<Command>& commands() {
  return registry();
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands())
    if (!command.hidden) names.push_back(command.name);
  return names;
}

const Command& find_command(const std::string& name) {
  for (const Command& command : commands())
    if (command.name == name) return command;
  const std::vector<std::string> names = command_names();
  throw InputError({.file = "crrm",
                    .place = name,
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = fmt::format("\"{}\"", name),
                    .hint = suggestion(name, names)});
}

CommandRegistration::CommandRegistration(Command command) {
  command.run = checked(command);
  std::vector<Command>& all = registry();
  const auto place =
      std::lower_bound(all.begin(), all.end(), command,
                       [](const Command& a, const Command& b) { return a.name < b.name; });
  all.insert(place, std::move(command));
}

std::string usage(const Command& command) {
  std::string text = "crrm " + command.name;
  std::vector<std::string> alternatives;
  for (const Option* option : options_of(command.name)) {
    const std::string word =
        option->positional ? option->unit : fmt::format("--{} {}", option->name, option->unit);
    if (option->need == Need::one_of)
      alternatives.push_back(word);
    else if (option->need == Need::required)
      text += " " + word;
    else if (option->positional)
      text += fmt::format(" [{}]", word);
  }
  if (!alternatives.empty()) text += fmt::format(" ({})", fmt::join(alternatives, " | "));
  return text + " [options]";
}

std::string help(const Command& command) {
  std::string positional, named;
  for (const Option* option : options_of(command.name))
    (option->positional ? positional : named) += help_line(*option);
  return fmt::format("{}\n\nusage: {}\n\n{}\n{}\nexample: {}\n", command.summary, usage(command),
                     positional, named, command.example);
}

Settings parse(const Command& command, const std::vector<std::string>& line) {
  const Words words = read_line(command, line);
  Settings settings;
  for (const auto& [option, text] : words)
    if (option->name == "config") read_config(settings, command.name, text);
  // The two limits exclude each other, so one on the line replaces the file's.
  if (says(words, "macs") || says(words, "params")) settings.macs = settings.params = "";
  for (const auto& [option, text] : words) set(settings, *option, text, origin(*option));
  return settings;
}

}  // namespace crrm::cli
