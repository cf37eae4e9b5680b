// What every measure of compression gives back: a number with its interval and its validity, or a
// refusal with the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crrm {

enum class Validity {
  ok,
  saturated,     ///< the estimator's ceiling, not the data, decides the number
  out_of_range,  ///< the truth lies where the estimator is known to be biased, or cannot see
  ties,          ///< equal samples or coordinates, which the estimator's law excludes
  too_few_samples
};

/// "ok", "saturated", "out of range", "ties", "too few samples".
std::string_view name_of(Validity validity);

/// 95 % unless the measure says otherwise.
struct Interval {
  double low = 0, high = 0;
};

struct Estimate {
  std::string measure;                         ///< such as "TwoNN"
  std::optional<double> value = std::nullopt;  ///< nothing where the estimator refuses
  std::optional<Interval> interval = std::nullopt;
  std::string unit = {};         ///< "nats", "dimensions"; empty: a pure number
  int64_t samples = 0;           ///< that the number rests on
  std::string assumptions = {};  ///< under which it is the named quantity
  Validity validity = Validity::ok;
  std::string reason = {};  ///< why it is refused or not ok; empty where ok
  std::string source = {};  ///< paper and equation
  /// What the number depends on or brings along, such as {"k", 5} or {"duplicates", 12}.
  std::vector<std::pair<std::string, double>> details = {};

  bool refused() const { return !value; }
};

/// The estimate without its number. @param reason  what would make it possible, in words
Estimate refuse(Estimate estimate, Validity validity, std::string reason);

/// Of a variable that never changes: it tells nothing, 0 in [0, 0].
Estimate of_constant(Estimate estimate);

}  // namespace crrm
