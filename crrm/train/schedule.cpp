#include "crrm/train/schedule.h"

#include <cmath>
#include <numbers>

#include "crrm/base/error.h"

namespace crrm {

double learning_rate(const ScheduleOptions& options, double t) {
  if (t < options.warm_up) return options.learning_rate * t / options.warm_up;
  const double rest = (t - options.warm_up) / (1 - options.warm_up);
  return 0.5 * options.learning_rate * (1 + std::cos(std::numbers::pi * std::min(rest, 1.0)));
}

int64_t ramped_budget(const ScheduleOptions& options, double t, int64_t dense, int64_t limit) {
  const double share = (t - options.ramp_begin) / (options.ramp_end - options.ramp_begin);
  if (share >= 1) return limit;
  if (share <= 0) return dense;
  return std::llround(static_cast<double>(dense) *
                      std::pow(static_cast<double>(limit) / static_cast<double>(dense), share));
}

double annealing(const ScheduleOptions& options, double t) {
  if (t <= options.ramp_end) return 1;
  if (t >= options.anneal_end) return 0;
  return (options.anneal_end - t) / (options.anneal_end - options.ramp_end);
}

void check(const ScheduleOptions& o) {
  const bool ordered = 0 <= o.ramp_begin && o.ramp_begin < o.ramp_end &&
                       o.ramp_end <= o.anneal_end && o.anneal_end <= o.cut && o.cut <= 1 &&
                       0 <= o.warm_up && o.warm_up < 1;
  if (!ordered)
    throw InputError(
        {.place = "schedule",
         .expected = "0 <= ramp begin < ramp end <= anneal end <= cut <= 1, warm-up < 1",
         .found = fmt::format("{}, {}, {}, {}; warm-up {}", o.ramp_begin, o.ramp_end, o.anneal_end,
                              o.cut, o.warm_up)});
  if (!(o.learning_rate > 0) || !std::isfinite(o.learning_rate))
    throw InputError({.file = "--learning-rate",
                      .expected = "a number > 0",
                      .found = fmt::format("{}", o.learning_rate)});
}

}  // namespace crrm
