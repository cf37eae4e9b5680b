// crrm completion SHELL: a script that completes commands, options and their values.
#include <iostream>

#include "crrm/cli/command.h"

namespace crrm::cli {

namespace {

std::vector<const Command*> shown_commands() {
  std::vector<const Command*> shown;
  for (const Command& command : commands())
    if (!command.hidden) shown.push_back(&command);
  return shown;
}

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  for (const Option* option : options_of(command)) {
    if (option->positional)
      words.insert(words.end(), option->choices.begin(), option->choices.end());
    else
      words.push_back("--" + option->name);
  }
  return words;
}

std::string names() {
  return fmt::format("{}", fmt::join(command_names(), " "));
}

/// `--OPTION) words="a b"` for each option with choices, in the syntax that bash and zsh share.
std::string choice_cases(const std::string& indent) {
  std::string text;
  for (const Option& option : options())
    if (!option.positional && !option.choices.empty())
      text += fmt::format("{}--{}) words=\"{}\" ;;\n", indent, option.name,
                          fmt::join(option.choices, " "));
  return text;
}

std::string command_cases(const std::string& indent) {
  std::string text;
  for (const Command* command : shown_commands())
    text += fmt::format("{}{}) words=\"{}\" ;;\n", indent, command->name,
                        fmt::join(words_of(command->name), " "));
  return text;
}

std::string bash() {
  return fmt::format(R"(# crrm completion for bash: source this, or put it into bash_completion.d
_crrm() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{}"
  else
    case "$before" in
{}    esac
    [ -n "$words" ] || case "${{COMP_WORDS[1]}}" in
{}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _crrm crrm
)",
                     names(), choice_cases("      "), command_cases("      "));
}

std::string zsh() {
  return fmt::format(R"(#compdef crrm
# crrm completion for zsh: put it into $fpath as _crrm
_crrm() {{
  local words_before="${{words[CURRENT-1]}}" command="${{words[2]}}" count=$CURRENT
  local words=""
  if (( count == 2 )); then
    words="{}"
  else
    case "$words_before" in
{}    esac
    [[ -n "$words" ]] || case "$command" in
{}    esac
  fi
  compadd -- ${{=words}}
  _files
}}
_crrm "$@"
)",
                     names(), choice_cases("      "), command_cases("      "));
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("\\'") : std::string(1, c);
  return result + "'";
}

std::string fish() {
  std::string text =
      "# crrm completion for fish: put it into ~/.config/fish/completions/crrm.fish\n";
  for (const Command* command : shown_commands()) {
    text += fmt::format("complete -c crrm -n __fish_use_subcommand -a {} -d {}\n", command->name,
                        quoted(command->summary));
    for (const Option* option : options_of(command->name)) {
      text += fmt::format("complete -c crrm -n '__fish_seen_subcommand_from {}'", command->name);
      if (!option->positional) text += " -l " + option->name;
      if (!option->letter.empty()) text += " -s " + option->letter;
      if (!is_switch(*option) && !option->positional) text += " -r";
      if (!option->choices.empty())
        text += fmt::format(" -f -a '{}'", fmt::join(option->choices, " "));
      text += fmt::format(" -d {}\n", quoted(option->help));
    }
  }
  return text;
}

int completion(const Settings& settings, const Invocation&) {
  std::cout << (settings.shell == "bash" ? bash() : settings.shell == "zsh" ? zsh() : fish());
  return 0;
}

const CommandRegistration registration({
    .name = "completion",
    .summary = "Prints a script that completes crrm's commands and options in a shell",
    .example = "crrm completion bash",
    .run = &completion,
});

}  // namespace

}  // namespace crrm::cli
