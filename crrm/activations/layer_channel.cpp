#include "crrm/activations/layer_channel.h"

#include <charconv>
#include <cmath>

#include "crrm/base/error.h"

namespace crrm {

namespace {

/// A channel with a number.
struct Kind {
  const char* name;
  const char* number;  ///< what it is
  bool whole;
  LayerChannel (*make)(double number);
};

constexpr Kind kKinds[] = {
    {"noise", "variance", false, [](double v) -> LayerChannel { return NoiseInModel{v}; }},
    {"quantised", "number of levels", true,
     [](double n) -> LayerChannel { return QuantisedInModel{static_cast<int64_t>(n)}; }},
    {"post-hoc-noise", "variance", false, [](double v) -> LayerChannel { return PostHocNoise{v}; }},
    {"post-hoc-bins", "number of bins", true,
     [](double n) -> LayerChannel { return PostHocBins{BinCount{static_cast<int64_t>(n)}}; }},
    {"matrix-renyi", "width", false, [](double h) -> LayerChannel { return MatrixRenyi{h}; }},
};

double parse_number(const std::string& text, const Kind& kind, const std::string& option) {
  constexpr double kMost = 1e9;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool fits = parsed.ec == std::errc() && parsed.ptr == end && number > 0 &&
                    number <= kMost && (!kind.whole || number == std::floor(number));
  if (!fits)
    throw InputError(
        {.file = option,
         .place = kind.name,
         .expected = fmt::format("a {}{} above 0, as {}:{}", kind.whole ? "whole " : "",
                                 kind.number, kind.name, kind.whole ? "30" : "0.01"),
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
                    .expected =
                        "sweep, gates, noise:VARIANCE, quantised:LEVELS, "
                        "post-hoc-noise:VARIANCE, post-hoc-bins:COUNT or matrix-renyi:WIDTH",
                    .found = fmt::format("\"{}\"", text),
                    .hint = suggestion(name, names)});
}

}  // namespace crrm
