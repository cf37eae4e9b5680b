#include "crrm/base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr Progress::Seconds kBarDelay{2.0};
constexpr Progress::Seconds kBarInterval{0.2};
constexpr Progress::Seconds kLineInterval{30.0};
constexpr Progress::Seconds kJsonInterval{1.0};
constexpr int kUnknownWidth = 80;
constexpr int kBarCells = 20;
constexpr int kShortBarCells = 10;
constexpr const char* kEraseLine = "\r\x1b[2K";
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kPlain = "\x1b[0m";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The locale's variables in the order in which the system heeds them.
bool names_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = variable(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return value.ends_with("utf-8") || value.ends_with("utf8");
  }
  return false;
}

/// Columns of a UTF-8 text of narrow characters: its code points.
int columns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string cut_to(std::string_view text, int width) {
  size_t end = 0;
  for (int column = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts && column++ == width) break;
  }
  return std::string(text.substr(0, end));
}

double clamped(double fraction) {
  return std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
}

/// Rounds down: 100 % is said only when all is done.
std::string whole_percent(double fraction) {
  return fmt::format("{:.0f} %", std::floor(clamped(fraction) * 100));
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string bar(double fraction, int cells, const Terminal& terminal) {
  const int full = static_cast<int>(std::floor(clamped(fraction) * cells));
  if (!terminal.unicode) return "[" + repeated("#", full) + repeated(".", cells - full) + "]";
  return repeated("━", full) + repeated("─", cells - full);
}

/// Colours the bar inside a line whose width is already settled.
std::string colored(std::string line, const std::string& bar) {
  const size_t at = line.find(bar);
  return at == std::string::npos ? line : line.replace(at, bar.size(), kGreen + bar + kPlain);
}

std::string time_left(double remaining) {
  if (remaining < 0) return "";
  const double whole = std::max(1.0, std::round(remaining));
  return (whole < 60 ? fmt::format("{:.0f} s", whole) : format_duration(whole)) + " left";
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

nlohmann::ordered_json json_line(const ProgressState& state, double elapsed, double remaining) {
  nlohmann::ordered_json line = {{"event", "progress"},
                                 {"phase", state.phase},
                                 {"phase_index", state.phase_index},
                                 {"phases", state.phases},
                                 {"fraction", clamped(state.fraction)},
                                 {"metric", state.metric},
                                 {"cost", state.cost},
                                 {"elapsed_seconds", elapsed},
                                 {"remaining_seconds", nullptr}};
  if (remaining >= 0) line["remaining_seconds"] = remaining;
  return line;
}

}  // namespace

ProgressMode parse_progress_mode(const std::string& text) {
  const std::vector<std::string> names = {"auto", "bar", "lines", "json", "off"};
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    throw InputError({.file = "--progress",
                      .expected = "auto, bar, lines, json or off",
                      .found = fmt::format("\"{}\"", text),
                      .hint = suggestion(text, names)});
  return static_cast<ProgressMode>(found - names.begin());
}

Terminal describe_terminal(int descriptor) {
  Terminal terminal;
  const std::string term = variable("TERM");
  terminal.interactive = ::isatty(descriptor) == 1 && !term.empty() && term != "dumb";
  terminal.color = terminal.interactive && variable("NO_COLOR").empty();
  terminal.unicode = terminal.interactive && names_utf8();
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  terminal.width = known ? size.ws_col : kUnknownWidth;
  return terminal;
}

double remaining_seconds(double elapsed, double fraction, double first_fraction) {
  const double done = clamped(fraction) - std::max(0.0, first_fraction);
  if (!(done > 0) || !(elapsed > 0)) return -1;
  return elapsed * (1 - clamped(fraction)) / done;
}

std::string bar_line(const ProgressState& state, double remaining, const Terminal& terminal) {
  const std::string phase = fmt::format("{}/{} {}", state.phase_index, state.phases, state.phase);
  const std::string wide = bar(state.fraction, kBarCells, terminal);
  const std::string narrow = bar(state.fraction, kShortBarCells, terminal);
  const std::string percent = whole_percent(state.fraction);
  const std::string left = time_left(remaining);
  // From the richest to the barest; the first that fits is shown.
  const std::vector<std::vector<std::string>> choices = {
      {phase, wide, percent, state.metric, state.cost, left},
      {phase, narrow, percent, state.metric, state.cost, left},
      {phase, percent, state.metric, state.cost, left},
      {phase, percent, state.metric, state.cost},
      {phase, percent, left},
      {phase, percent}};
  const int width = std::max(1, terminal.width - 1);  // a full last column may wrap
  for (const std::vector<std::string>& parts : choices) {
    const std::string line = joined(parts, "  ");
    if (columns(line) > width) continue;
    // The narrow bar may be a part of the wide one.
    return terminal.color ? colored(line, line.find(wide) < line.size() ? wide : narrow) : line;
  }
  return cut_to(joined(choices.back(), "  "), width);
}

std::string plain_line(const ProgressState& state, double remaining) {
  return fmt::format("[{}/{} {}] ", state.phase_index, state.phases, state.phase) +
         joined({whole_percent(state.fraction), state.metric, state.cost, time_left(remaining)},
                ", ");
}

Progress::Progress(std::ostream& out, ProgressMode mode, const Terminal& terminal, Clock clock)
    : out_(out), mode_(mode), terminal_(terminal), clock_(std::move(clock)) {
  if (!clock_) clock_ = [] { return Seconds(std::chrono::steady_clock::now().time_since_epoch()); };
  if (mode_ == ProgressMode::automatic)
    mode_ = terminal_.interactive ? ProgressMode::bar : ProgressMode::lines;
  start_ = clock_();
  last_ = start_;
}

Progress::~Progress() {
  clear();
}

void Progress::update(const ProgressState& state) {
  if (mode_ == ProgressMode::off) return;
  const Seconds now = clock_();
  if (first_fraction_ < 0) first_fraction_ = clamped(state.fraction);
  const bool is_bar = mode_ == ProgressMode::bar;
  const bool is_json = mode_ == ProgressMode::json;
  const Seconds interval = is_bar ? kBarInterval : is_json ? kJsonInterval : kLineInterval;
  if (now - last_ < interval || (is_bar && now - start_ < kBarDelay)) return;
  last_ = now;
  const double elapsed = (now - start_).count();
  const double remaining = remaining_seconds(elapsed, state.fraction, first_fraction_);
  if (is_bar) return draw(bar_line(state, remaining, terminal_));
  if (is_json)
    out_ << json_line(state, elapsed, remaining)
                .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  else
    out_ << plain_line(state, remaining);
  out_ << '\n' << std::flush;
}

void Progress::draw(const std::string& line) {
  clear();
  out_ << line << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (!drawn_) return;
  // A bar may be asked for where escapes are not understood: spaces overwrite it there.
  if (terminal_.interactive)
    out_ << kEraseLine;
  else
    out_ << '\r' << std::string(static_cast<size_t>(std::max(1, terminal_.width - 1)), ' ') << '\r';
  out_ << std::flush;
  drawn_ = false;
}

}  // namespace crrm
