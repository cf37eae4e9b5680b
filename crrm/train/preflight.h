// The first step, taken before the run: so that what cannot work fails in seconds, not after hours.
#pragma once

#include <cstdint>

#include "crrm/train/run.h"

namespace crrm {

struct Preflight {
  double seconds = 0;  ///< of the whole run, about
  double seconds_per_step = 0;
  int64_t steps = 0;
  int64_t memory_bytes = 0;  ///< the most that the process held so far, a full batch included
  int64_t disk_bytes = 0;    ///< that the run will write, about
};

/// Runs one full batch forward and backward, twice, on a copy.
/// @param network, task  as for Run
/// @throws InputError where the outputs do not fit the task, or the memory does not suffice.
Preflight preflight(const Graph& network, const Task& task, const RunData& data,
                    const RunOptions& options);

}  // namespace crrm
