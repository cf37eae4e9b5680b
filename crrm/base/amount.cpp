#include "crrm/base/amount.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "crrm/base/error.h"

namespace crrm {

namespace {

struct UnitName {
  std::string_view name;  // lower case
  Amount::Unit unit;
  double factor;
};

constexpr double kKibi = 1024.0;
constexpr std::array<UnitName, 18> kUnits{{
    {"", Amount::Unit::count, 1},
    {"k", Amount::Unit::count, 1e3},
    {"m", Amount::Unit::count, 1e6},
    {"g", Amount::Unit::count, 1e9},
    {"t", Amount::Unit::count, 1e12},
    {"%", Amount::Unit::percent, 1},
    {"b", Amount::Unit::bytes, 1},
    {"kb", Amount::Unit::bytes, 1e3},
    {"mb", Amount::Unit::bytes, 1e6},
    {"gb", Amount::Unit::bytes, 1e9},
    {"tb", Amount::Unit::bytes, 1e12},
    {"kib", Amount::Unit::bytes, kKibi},
    {"mib", Amount::Unit::bytes, kKibi* kKibi},
    {"gib", Amount::Unit::bytes, kKibi* kKibi* kKibi},
    {"tib", Amount::Unit::bytes, kKibi* kKibi* kKibi* kKibi},
    {"us", Amount::Unit::milliseconds, 1e-3},
    {"ms", Amount::Unit::milliseconds, 1},
    {"s", Amount::Unit::milliseconds, 1e3},
}};

const UnitName* find_unit(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const UnitName& unit : kUnits)
    if (unit.name == lower) return &unit;
  return nullptr;
}

/// "15M, 50% or 2MB"
std::string examples(const std::vector<Amount::Unit>& taken) {
  const std::map<Amount::Unit, std::string> all = {{Amount::Unit::count, "15M"},
                                                   {Amount::Unit::percent, "50%"},
                                                   {Amount::Unit::bytes, "2MB"},
                                                   {Amount::Unit::milliseconds, "4ms"}};
  std::string text = all.at(taken[0]);
  for (size_t i = 1; i < taken.size(); ++i)
    text += (i + 1 == taken.size() ? " or " : ", ") + all.at(taken[i]);
  return text;
}

/// `value` scaled below 1000 by a power of 1000, with three significant digits.
std::string scaled(double value, const char* base_unit, const std::array<const char*, 5>& units) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  size_t power = 0;
  double size = std::abs(value);
  // 999.5 would print as 1000 of the smaller unit.
  while (size >= 999.5 && power + 1 < units.size()) {
    size /= 1000;
    ++power;
  }
  if (value < 0) size = -size;
  const std::string number = fmt::format("{:.3g}", size);
  const std::string plain = std::abs(size) >= 999.5 ? fmt::format("{:.0f}", size) : number;
  const std::string unit = power == 0 ? base_unit : units[power];
  return unit.empty() ? plain : plain + " " + unit;
}

}  // namespace

Amount parse_amount(std::string_view text, const std::string& option,
                    const std::vector<Amount::Unit>& taken) {
  const auto reject = [&](const std::string& what) {
    throw InputError({.file = option.empty() ? fmt::format("amount \"{}\"", text) : option,
                      .expected = "a positive number with a unit: " + examples(taken),
                      .found = fmt::format("\"{}\"{}", text, what)});
  };
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) reject(", which is out of range");
  if (error != std::errc()) reject("");
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const UnitName* unit = find_unit(rest);
  if (unit == nullptr) reject(fmt::format(", of unknown unit \"{}\"", rest));
  if (std::find(taken.begin(), taken.end(), unit->unit) == taken.end())
    reject(fmt::format(", of unit \"{}\"", rest));
  if (!std::isfinite(value) || value <= 0) reject(", which is not above zero");
  return {.value = value * unit->factor, .unit = unit->unit};
}

std::string format_count(double count) {
  return scaled(count, "", {"", "k", "M", "G", "T"});
}

std::string format_bytes(double bytes) {
  return scaled(bytes, "B", {"B", "kB", "MB", "GB", "TB"});
}

std::string format_duration(double seconds) {
  constexpr double kMinute = 60, kHour = 3600, kDay = 86400;
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < kMinute - 0.05) return fmt::format("{:.1f} s", seconds);
  if (seconds < kHour - 0.5) {
    const int64_t whole = std::llround(seconds);
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  if (seconds < kDay - kMinute / 2) {
    const int64_t minutes = std::llround(seconds / kMinute);
    return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  }
  const int64_t hours = std::llround(seconds / kHour);
  return fmt::format("{} d {:02} h", hours / 24, hours % 24);
}

std::string format_percent(double fraction, int digits) {
  return fmt::format("{:.{}f} %", fraction * 100, digits);
}

}  // namespace crrm
