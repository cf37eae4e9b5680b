#include "crrm/measure/usage.h"

#include <sys/resource.h>

#include "crrm/base/error.h"
#include "crrm/measure/latency.h"

namespace crrm {

using Json = nlohmann::ordered_json;

namespace {

double to_seconds(const timeval& time) {
  constexpr double kMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) + kMicrosecond * static_cast<double>(time.tv_usec);
}

}  // namespace

Json to_json(const Usage& usage) {
  return {{"seconds", usage.seconds},
          {"cpu_seconds", usage.cpu_seconds},
          {"joules", usage.joules ? Json(*usage.joules) : Json()}};
}

Usage to_usage(const Json& json) try {
  const Json& joules = json.at("joules");
  return {.seconds = json.at("seconds"),
          .cpu_seconds = json.at("cpu_seconds"),
          .joules = joules.is_null() ? std::nullopt : std::optional<double>(joules.get<double>())};
} catch (const Json::exception& wrong) {
  throw InputError({.place = "usage",
                    .expected = "seconds, cpu_seconds and joules",
                    .found = wrong.what(),
                    .hint = "it is damaged or of another version: start the run again"});
}

double cpu_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

UsageMeter::UsageMeter(EnergyCounter energy, std::function<double()> cpu)
    : energy_(std::move(energy)), cpu_(std::move(cpu)), start_(steady_time()), cpu_start_(cpu_()) {}

Usage UsageMeter::operator()() {
  Usage usage{.seconds = std::chrono::duration<double>(steady_time() - start_).count(),
              .cpu_seconds = cpu_() - cpu_start_,
              .joules = energy_.joules()};
  if (!before_) return usage;
  usage.seconds += before_->seconds;
  usage.cpu_seconds += before_->cpu_seconds;
  if (usage.joules && before_->joules)
    *usage.joules += *before_->joules;
  else
    usage.joules.reset();
  return usage;
}

}  // namespace crrm
