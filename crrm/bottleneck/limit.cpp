#include "crrm/bottleneck/limit.h"

#include "crrm/base/amount.h"
#include "crrm/base/error.h"

namespace crrm {

int64_t amount(const Cost& cost, Resource resource) {
  switch (resource) {
    case Resource::macs:
      return cost.macs;
    case Resource::params:
      return cost.params;
    case Resource::bytes:
      return cost.bytes;
    case Resource::latency:
      break;
  }
  return cost.nanoseconds;
}

const char* name(Resource resource) {
  constexpr const char* kNames[] = {"macs", "params", "bytes", "latency"};
  return kNames[static_cast<size_t>(resource)];
}

const char* option(Resource resource) {
  constexpr const char* kOptions[] = {"--macs", "--params", "--size", "--latency"};
  return kOptions[static_cast<size_t>(resource)];
}

std::string describe(int64_t amount, Resource resource) {
  const double value = static_cast<double>(amount);
  switch (resource) {
    case Resource::macs:
      return format_count(value) + " MACs";
    case Resource::params:
      return format_count(value) + " parameters";
    case Resource::bytes:
      return format_bytes(value);
    case Resource::latency:
      break;
  }
  constexpr double kSecond = 1e9;
  return format_duration(value / kSecond);
}

bool within(const Cost& cost, const std::vector<Limit>& limits) {
  return std::all_of(limits.begin(), limits.end(), [&](const Limit& limit) {
    return amount(cost, limit.resource) <= limit.most;
  });
}

const Limit& binding(const Cost& cost, const std::vector<Limit>& limits) {
  const auto excess = [&](const Limit& limit) {
    return static_cast<double>(amount(cost, limit.resource)) / static_cast<double>(limit.most);
  };
  return *std::max_element(limits.begin(), limits.end(),
                           [&](const Limit& a, const Limit& b) { return excess(a) < excess(b); });
}

}  // namespace crrm
