#include "crrm/cli/options.h"

#include <charconv>

#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/cli/option_table.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void reject(const Option& option, const std::string& text, const std::string& origin,
                         const std::string& expected, const std::string& hint = "") {
  throw InputError(
      {.file = origin, .expected = expected, .found = "\"" + text + "\"", .hint = hint});
}

std::string expected_number(const Option& option, const std::string& kind) {
  return option.range ? fmt::format("{} {}", kind, describe(*option.range)) : kind;
}

template <typename Number>
Number parse_number(const Option& option, const std::string& text, const std::string& origin) {
  const std::string kind = std::is_integral_v<Number> ? "a whole number" : "a number";
  Number number = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, number);
  const bool complete = parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
  const double real = static_cast<double>(number);
  if (!complete || !std::isfinite(real) || (option.range && !option.range->contains(real)))
    reject(option, text, origin, expected_number(option, kind));
  return number;
}

bool parse_switch(const Option& option, const std::string& text, const std::string& origin) {
  if (text == "true") return true;
  if (text == "false") return false;
  reject(option, text, origin, "true or false");
}

std::string parse_text(const Option& option, const std::string& text, const std::string& origin) {
  if (!option.amounts.empty()) parse_amount(text, origin, option.amounts);
  const std::vector<std::string>& choices = option.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end())
    return text;
  reject(option, text, origin, fmt::format("one of {}", fmt::join(choices, ", ")),
         suggestion(text, choices));
}

template <typename T>
T parse(const Option& option, const std::string& text, const std::string& origin) {
  if constexpr (std::is_same_v<T, std::string>)
    return parse_text(option, text, origin);
  else if constexpr (std::is_same_v<T, bool>)
    return parse_switch(option, text, origin);
  else
    return parse_number<T>(option, text, origin);
}

template <typename T>
struct Plain {
  using Type = T;
};
template <typename T>
struct Plain<std::optional<T>> {
  using Type = T;
};

Json json_of(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
template <typename T>
Json json_of(const std::optional<T>& maybe) {
  return maybe ? Json(*maybe) : Json();
}
template <typename T>
Json json_of(const T& plain) {
  return plain;
}

std::string invocation(const Option& option) {
  if (option.positional) return option.unit;
  std::string text = "--" + option.name;
  if (std::holds_alternative<std::optional<bool> Settings::*>(option.field))
    text += ", --no-" + option.name;
  if (!option.letter.empty()) text = "-" + option.letter + ", " + text;
  return option.unit.empty() ? text : text + " " + option.unit;
}

}  // namespace

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string describe(const Range& range) {
  if (std::isinf(range.high)) return fmt::format("{} {}", range.low_open ? ">" : ">=", range.low);
  return fmt::format("in {}{}, {}{}", range.low_open ? '(' : '[', range.low, range.high,
                     range.high_open ? ')' : ']');
}

const std::vector<Option>& options() {
  static const std::vector<Option> all = option_table();
  return all;
}

std::vector<const Option*> options_of(const std::string& command) {
  std::vector<const Option*> result;
  for (const Option& option : options())
    if (std::find(option.commands.begin(), option.commands.end(), command) != option.commands.end())
      result.push_back(&option);
  return result;
}

bool is_switch(const Option& option) {
  return option.unit.empty();
}

std::string default_text(const Option& option) {
  if (!option.fallback.empty()) return option.fallback;
  const Json standard = value(Settings{}, option);
  if (standard.is_null() || standard.is_boolean()) return "";
  return standard.is_string() ? standard.get<std::string>() : standard.dump();
}

void set(Settings& settings, const Option& option, const std::string& text,
         const std::string& origin) {
  std::visit(
      [&](auto member) {
        using T = typename Plain<std::remove_reference_t<decltype(settings.*member)>>::Type;
        settings.*member = parse<T>(option, text, origin);
      },
      option.field);
}

Json value(const Settings& settings, const Option& option) {
  return std::visit([&](auto member) { return json_of(settings.*member); }, option.field);
}

Json values(const Settings& settings, const std::string& command) {
  Json result = Json::object();
  for (const Option* option : options_of(command))
    if (option->configures)
      if (Json now = value(settings, *option); !now.is_null())
        result[option->name] = std::move(now);
  return result;
}

std::string reference() {
  std::string text =
      "# Options\n\nMade from the program's table of options by `crrm reference`; a test compares "
      "the two.\n";
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    text += fmt::format(
        "\n## crrm {}\n\n{}.\n\n    {}\n\n| option | values | default | meaning |\n"
        "|---|---|---|---|\n",
        command.name, command.summary, usage(command));
    for (const Option* option : options_of(command.name)) {
      std::string values;
      if (option->range) values = describe(*option->range);
      if (!option->choices.empty()) values = fmt::format("{}", fmt::join(option->choices, ", "));
      text += fmt::format("| `{}` | {} | {} | {} |\n", invocation(*option), values,
                          default_text(*option), option->help);
    }
  }
  return text;
}

}  // namespace crrm::cli
