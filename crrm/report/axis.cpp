#include "crrm/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace crrm {

namespace {

constexpr size_t kMostTicks = 6;
constexpr double kLogarithmicSpan = 100;
constexpr double kSlack = 1e-9;  // of a tick, for rounding

/// Powers of ten times 1, 2 and 5 (`dense`), or 1, that lie in [low, high], both positive.
std::vector<double> digits_between(double low, double high, bool dense, int stride) {
  std::vector<double> found;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  for (int power = first; power <= last; ++power) {
    if ((power - first) % stride != 0) continue;
    for (const double digit : dense ? std::vector<double>{1, 2, 5} : std::vector<double>{1}) {
      const double value = digit * std::pow(10, power);
      if (value >= low * (1 - kSlack) && value <= high * (1 + kSlack)) found.push_back(value);
    }
  }
  return found;
}

}  // namespace

void Range::add(double value) {
  if (!std::isfinite(value)) return;
  low_ = low_ ? std::min(*low_, value) : value;
  high_ = high_ ? std::max(*high_, value) : value;
}

Axis::Axis(const Range& values, double begin, double end) : begin_(begin), end_(end) {
  if (values.empty()) return;
  low_ = values.low();
  high_ = values.high();
  logarithmic_ = low_ > 0 && high_ / low_ >= kLogarithmicSpan;
  if (logarithmic_) return;
  low_ = std::min(low_, 0.0);
  if (high_ <= low_) high_ = low_ + 1;
}

double Axis::at(double value) const {
  const double inside = std::clamp(value, low_, high_);
  const double share = logarithmic_ ? std::log(inside / low_) / std::log(high_ / low_)
                                    : (inside - low_) / (high_ - low_);
  return begin_ + share * (end_ - begin_);
}

std::vector<double> Axis::linear_ticks() const {
  const double least = (high_ - low_) / (kMostTicks - 1);
  const double power = std::pow(10, std::floor(std::log10(least)));
  double step = 10 * power;
  for (const double digit : {5.0, 2.0, 1.0})
    if (digit * power >= least * (1 - kSlack)) step = digit * power;
  std::vector<double> found;
  for (double i = std::ceil(low_ / step - kSlack); i * step <= high_ + kSlack * step; ++i)
    found.push_back(i * step + 0.0);
  return found;
}

std::vector<double> Axis::logarithmic_ticks() const {
  std::vector<double> found = digits_between(low_, high_, true, 1);
  for (int stride = 1; found.size() > kMostTicks; ++stride)
    found = digits_between(low_, high_, false, stride);
  return found;
}

std::vector<double> Axis::ticks() const {
  return logarithmic_ ? logarithmic_ticks() : linear_ticks();
}

std::string axis_number(double value) {
  const double size = std::abs(value);
  std::string text = size != 0 && (size < 1e-3 || size >= 1e6) ? fmt::format("{:.3g}", value)
                     : size >= 1e4                             ? fmt::format("{:.0f}", value)
                                                               : fmt::format("{:.4g}", value);
  for (size_t at; (at = text.find('-')) != std::string::npos;) text.replace(at, 1, "−");
  return text;
}

}  // namespace crrm
