#include "crrm/activations/layer_channel.h"

#include <charconv>
#include <cmath>

#include "crrm/base/error.h"

namespace crrm {

namespace {

/// A channel with a number.
struct Kind {
  const char* name;
  bool whole;  ///< the number counts something
  Channel (*make)(double number);
};

constexpr Kind kKinds[] = {
    {"noise", false, [](double v) -> Channel { return NoiseInModel{v}; }},
    {"quantised", true,
     [](double n) -> Channel { return QuantisedInModel{static_cast<int64_t>(n)}; }},
    {"post-hoc-noise", false, [](double v) -> Channel { return PostHocNoise{v}; }},
    {"post-hoc-bins", true,
     [](double n) -> Channel { return PostHocBins{BinCount{static_cast<int64_t>(n)}}; }},
};

double parse_number(const std::string& text, const Kind& kind, const std::string& option) {
  constexpr double kMost = 1e9;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool fits = parsed.ec == std::errc() && parsed.ptr == end && number > 0 &&
                    number <= kMost && (!kind.whole || number == std::floor(number));
  if (!fits)
    throw InputError({.file = option,
                      .place = kind.name,
                      .expected = kind.whole
                                      ? fmt::format("a whole number above 0, as {}:30", kind.name)
                                      : fmt::format("a variance above 0, as {}:0.01", kind.name),
                      .found = fmt::format("\"{}\"", text)});
  return number;
}

}  // namespace

LayerChannel parse_channel(const std::string& text, const std::string& option) {
  if (text == "sweep") return NoiseSweep{};
  if (text == "gates") return GatesOfRun{};
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string name = text.substr(0, colon);
  std::vector<std::string> names = {"sweep", "gates"};
  for (const Kind& kind : kKinds) {
    if (name == kind.name)
      return kind.make(parse_number(text.substr(std::min(colon + 1, text.size())), kind, option));
    names.emplace_back(kind.name);
  }
  throw InputError({.file = option,
                    .expected = "sweep, gates, noise:VARIANCE, quantised:LEVELS, "
                                "post-hoc-noise:VARIANCE or post-hoc-bins:COUNT",
                    .found = fmt::format("\"{}\"", text),
                    .hint = suggestion(name, names)});
}

}  // namespace crrm
