// crrm conformance DIR: whether shrinking is exact, for every network of a folder.
#include "crrm/check/conformance.h"

#include <iostream>

#include "crrm/base/interrupt.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Reasons why something stays, each once, in the network's order.
std::vector<std::string> reasons(const Conformance& result) {
  std::vector<std::string> all;
  for (const FrozenAxis& axis : result.frozen)
    if (std::find(all.begin(), all.end(), axis.reason) == all.end()) all.push_back(axis.reason);
  return all;
}

Json to_json(const Conformance& result) {
  return {{"name", result.name},
          {"units", result.units},
          {"least", result.least ? Json(*result.least) : Json()},
          {"subsets", result.subsets},
          {"largest_difference", result.largest_difference},
          {"frozen", reasons(result)},
          {"failures", result.failures},
          {"seconds", result.seconds},
          {"ok", result.ok()}};
}

void print(const Conformance& result) {
  const std::string least = result.least ? fmt::format(" ({})", *result.least) : "";
  std::cout << fmt::format("{:32} {:>5}{:8} {:>9.1e} {:>7.2f} s  {}\n", result.name, result.units,
                           least, result.largest_difference, result.seconds,
                           result.ok() ? "ok" : "FAILED");
  for (const std::string& failure : result.failures) std::cout << "    " << failure << "\n";
  std::cout << std::flush;
}

int conformance(Settings settings, const Invocation&) {
  prepare_machine(settings);
  const InterruptGuard guard;
  const ConformanceOptions options{.subsets = static_cast<int>(settings.subsets),
                                   .seed = static_cast<uint64_t>(settings.seed)};
  Json patterns = Json::array();
  bool ok = true;
  int64_t units = 0;
  if (!settings.json)
    std::cout << fmt::format("{:32} {:13} {:>10} {:>9}\n", "network", "units (least)", "difference",
                             "time");
  for (const std::filesystem::path& model : conformance_models(settings.models)) {
    throw_if_interrupted();
    const Conformance result = check_conformance(model, options);
    ok = ok && result.ok();
    units += result.units;
    if (settings.json)
      patterns.push_back(to_json(result));
    else
      print(result);
  }
  if (settings.json)
    std::cout << Json{{"patterns", patterns}, {"units", units}, {"ok", ok}}.dump(2) << "\n";
  else
    std::cout << fmt::format("{} units; {}\n", units,
                             ok ? "every network shrinks exactly" : "not all are exact");
  return ok ? 0 : 1;
}

const CommandRegistration registration({
    .name = "conformance",
    .summary = "Checks for the networks of a folder that shrinking them is exact",
    .example = "crrm conformance demo",
    .run = &conformance,
});

}  // namespace

}  // namespace crrm::cli
