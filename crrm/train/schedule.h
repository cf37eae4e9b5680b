// What changes over a run, as functions of its share t in [0, 1]: nothing here has a state.
#pragma once

#include <cstdint>

namespace crrm {

struct ScheduleOptions {
  double learning_rate = 0.05;  ///< peak
  double warm_up = 0.05;        ///< share of the run in which the rate rises to it
  double ramp_begin = 0.03;     ///< the budget falls from here ...
  double ramp_end = 0.5;        ///< ... to here, and is met from then on
  double anneal_end = 0.6;      ///< the survivors' noise is gone from here on
  double cut = 0.85;            ///< the gates leave, and what is left is trained on
};

/// Linear rise, then half a cosine down to 0 (Loshchilov & Hutter, SGDR, 2017, equation 5).
double learning_rate(const ScheduleOptions& options, double t);

/// What the network may cost: `dense` before the ramp, `limit` behind it, and in between the same
/// factor every step, so that the last units of a small budget get as much time as the first.
int64_t ramped_budget(const ScheduleOptions& options, double t, int64_t dense, int64_t limit);

/// Factor on the survivors' distortion: 1 up to the ramp's end, then linear to 0.
double annealing(const ScheduleOptions& options, double t);

/// @throws InputError unless 0 <= ramp_begin < ramp_end <= anneal_end <= cut <= 1 and the rate is >
/// 0.
void check(const ScheduleOptions& options);

}  // namespace crrm
