#include "crrm/report/payoff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "crrm/base/amount.h"
#include "crrm/report/timing.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kFewerMacs = 0.9, kSameTime = 0.95;

/// Channels that vector units compute at once.
constexpr int64_t kBlock = 8;

/// Whether outputs or inputs filled whole blocks before, and do not now.
bool lost_blocks(const Json& layer) {
  const std::vector<int64_t> before = layer["before"], after = layer["after"];
  constexpr size_t kChannelAxes = 2;
  for (size_t a = 0; a < std::min(kChannelAxes, after.size()); ++a)
    if (before[a] % kBlock == 0 && after[a] % kBlock != 0) return true;
  return false;
}

std::string reason(const Json& layers) {
  const int64_t lost = std::count_if(layers.begin(), layers.end(), lost_blocks);
  const std::string widths =
      lost == 0 ? ""
                : fmt::format(
                      ", and computing blocks of {} channels that are not full: {} of {} layers "
                      "lost a width that was a multiple of {}",
                      kBlock, lost, layers.size(), kBlock);
  return fmt::format("Time also goes into starting operators and moving memory{}.", widths);
}

bool is_same_way(const Json& a, const Json& b) {
  return a["runtime"] == b["runtime"] && a["threads"] == b["threads"] && a["batch"] == b["batch"];
}

}  // namespace

std::string unpaid_cut(const Json& stages, const Json& layers) {
  const Json &first = stages.front(), &last = stages.back();
  const double macs = last["macs"].get<double>() / std::max(first["macs"].get<double>(), 1.0);
  if (macs >= kFewerMacs) return "";
  std::vector<std::string> ways;
  for (const Json& before : first["latency_ms"])
    for (const Json& after : last["latency_ms"]) {
      const double was = before["median"], now = after["median"];
      if (is_same_way(before, after) && was > 0 && now / was > kSameTime)
        ways.push_back(
            fmt::format("{} of the time in {}", format_percent(now / was),
                        describe_timing(before["runtime"], before["threads"], before["batch"])));
    }
  if (ways.empty()) return "";
  return fmt::format(
      "the cut does not pay: {} of the MACs take {}. {} --latency limits time itself.",
      format_percent(macs), fmt::join(ways, "; "), reason(layers));
}

}  // namespace crrm
