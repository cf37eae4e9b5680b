#include "crrm/cli/goals.h"

#include <charconv>
#include <optional>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"

namespace crrm::cli {

namespace {

constexpr double kWhole = 100;  // percent

/// An option's text, and what it limits.
struct Given {
  const std::string& text;
  Resource resource;
};

std::vector<Given> shares(const Settings& settings) {
  return {{settings.macs, Resource::macs},
          {settings.params, Resource::params},
          {settings.size, Resource::bytes}};
}

void require_less(int64_t limit, int64_t dense, const Given& given) {
  if (limit < dense) return;
  throw InputError({.file = option(given.resource),
                    .expected = fmt::format("less than {}, what the network has",
                                            crrm::describe(dense, given.resource)),
                    .found = given.text});
}

int64_t limit_of(const Given& given, int64_t dense) {
  const Amount amount = parse_amount(given.text, option(given.resource));
  double limit = amount.value;
  if (amount.unit == Amount::Unit::percent) limit *= static_cast<double>(dense) / kWhole;
  constexpr double kMost = 9e18;  // of int64
  return static_cast<int64_t>(std::floor(std::min(limit, kMost)));
}

}  // namespace

LatencyLimit parse_latency(const std::string& text) {
  const std::string file = option(Resource::latency);
  const size_t at = text.find('@');
  const Amount amount = parse_amount(text.substr(0, at), file, {Amount::Unit::milliseconds});
  constexpr double kNanosecondsPerMillisecond = 1e6;
  constexpr double kLongest = 1e15;  // eleven days
  LatencyLimit limit{
      .nanoseconds = std::llround(std::min(amount.value * kNanosecondsPerMillisecond, kLongest)),
      .threads = 1};
  if (at == std::string::npos) return limit;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data() + at + 1, end, limit.threads);
  const std::string unit(parsed.ptr, end);
  constexpr int kMostThreads = 1024;
  if (parsed.ec != std::errc() || (unit != "threads" && unit != "thread") || limit.threads < 1 ||
      limit.threads > kMostThreads)
    throw InputError({.file = file,
                      .expected = "a time, and behind @ a number of threads, such as 4ms@2threads",
                      .found = "\"" + text + "\""});
  return limit;
}

std::vector<Target> targets(const Settings& settings, const Cost& dense) {
  std::vector<Target> all;
  const auto add = [&](const Given& given, int64_t limit) {
    require_less(limit, amount(dense, given.resource), given);
    all.push_back({{given.resource, limit}, given.text});
  };
  for (const Given& given : shares(settings))
    if (!given.text.empty()) add(given, limit_of(given, amount(dense, given.resource)));
  if (!settings.latency.empty())
    add({settings.latency, Resource::latency}, parse_latency(settings.latency).nanoseconds);
  return all;
}

bool has_goal(const Settings& settings) {
  const std::vector<Given> given = shares(settings);
  return settings.max_drop || !settings.latency.empty() ||
         std::any_of(given.begin(), given.end(),
                     [](const Given& one) { return !one.text.empty(); });
}

std::optional<int64_t> parse_multiple(const Settings& settings) {
  const std::string& text = settings.multiple;
  if (text == "auto" || (text.empty() && !settings.latency.empty())) return std::nullopt;
  if (text.empty()) return 1;
  int64_t multiple = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, multiple);
  constexpr int64_t kMost = 1024;
  if (parsed.ec != std::errc() || parsed.ptr != end || multiple < 1 || multiple > kMost)
    throw InputError({.file = "--multiple",
                      .expected = fmt::format("auto, or a whole number in [1, {}]", kMost),
                      .found = "\"" + text + "\""});
  return multiple;
}

std::string forgotten_percent(const Settings& settings) {
  for (const Given& given : shares(settings)) {
    if (given.text.empty() || given.resource == Resource::bytes) continue;
    const Amount amount = parse_amount(given.text);
    if (amount.unit == Amount::Unit::count && amount.value <= kWhole)
      return fmt::format("did you mean {}%?", amount.value);
  }
  return "";
}

}  // namespace crrm::cli
