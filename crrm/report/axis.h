// An axis of a chart: which values it shows, where they lie, and what its ticks say.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace crrm {

/// The least range that holds what was added.
class Range {
 public:
  void add(double value);
  bool empty() const { return !low_; }
  double low() const { return *low_; }
  double high() const { return *high_; }

 private:
  std::optional<double> low_, high_;
};

class Axis {
 public:
  /// Reaches from `begin` to `end` of the drawing. Logarithmic where all values are positive and
  /// span two powers of ten or more; a linear one begins at zero where no value is negative.
  /// @param values  what it has to show; [0, 1] where it is empty
  Axis(const Range& values, double begin, double end);

  /// Where a value lies in the drawing; values off the axis lie at its ends.
  double at(double value) const;

  /// At most six, all on the axis: multiples of 1, 2 or 5 times a power of ten; powers of ten alone
  /// where a logarithmic axis is long.
  std::vector<double> ticks() const;

  bool logarithmic() const { return logarithmic_; }

 private:
  std::vector<double> linear_ticks() const;
  std::vector<double> logarithmic_ticks() const;

  double low_ = 0, high_ = 1;
  double begin_, end_;
  bool logarithmic_ = false;
};

/// Four significant digits, no zeros behind the last: "12.35", "−0.5", "2.1e−7".
std::string axis_number(double value);

}  // namespace crrm
