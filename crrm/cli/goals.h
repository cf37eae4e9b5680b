// What the user limits: from options to what a run keeps.
#pragma once

#include <string>
#include <vector>

#include "crrm/cli/options.h"
#include "crrm/train/outcome.h"

namespace crrm::cli {

/// "4ms@2threads"
struct LatencyLimit {
  int64_t nanoseconds = 0;
  int threads = 1;
};
/// @throws InputError where the text is no such limit.
LatencyLimit parse_latency(const std::string& text);

/// The limits on what a network costs, in the order of their options; shares are of `dense`.
/// @param dense  bytes and nanoseconds included
/// @throws InputError where a limit is no amount, or no less than what the network has.
std::vector<Target> targets(const Settings& settings, const Cost& dense);

/// Whether anything is limited.
bool has_goal(const Settings& settings);

/// --multiple: a number of units; nothing for auto.
/// @throws InputError where the text is neither.
std::optional<int64_t> parse_multiple(const Settings& settings);

/// "did you mean 50%?" where a limit is "50"; "" where there is no such number.
std::string forgotten_percent(const Settings& settings);

}  // namespace crrm::cli
