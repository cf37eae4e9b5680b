// crrm selftest [FAMILY]: the estimators against values known in closed form, on this machine.
#include <iostream>

#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/estimators/closed_form.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kSomeFailed = 1;

/// The checks of one family, or all. @throws InputError with the nearest name.
std::vector<ClosedForm> checks_of(const std::string& family) {
  std::vector<ClosedForm> all = closed_forms();
  if (family.empty()) return all;
  std::vector<std::string> names;
  for (const ClosedForm& check : all)
    if (names.empty() || names.back() != check.family) names.push_back(check.family);
  require_known(family, names, {.file = "crrm selftest", .place = "FAMILY"});
  std::erase_if(all, [&](const ClosedForm& check) { return check.family != family; });
  return all;
}

bool holds(const ClosedForm& check, double got) {
  return std::abs(got - check.expected) <= check.tolerance;
}

Json to_json(const ClosedForm& check, double got) {
  return {{"family", check.family},       {"check", check.name},
          {"expected", check.expected},   {"got", got},
          {"tolerance", check.tolerance}, {"source", check.source},
          {"ok", holds(check, got)}};
}

void print(const ClosedForm& check, double got) {
  std::cout << fmt::format("{:12} {:58} {:>11.6g} {:>11.6g} {:>9.2g}  {}\n", check.family,
                           check.name, check.expected, got, check.tolerance,
                           holds(check, got) ? "ok" : "FAILED")
            << std::flush;
}

int selftest(Settings settings, const Invocation&) {
  prepare_machine(settings);
  const InterruptGuard guard;
  const std::vector<ClosedForm> checks = checks_of(settings.family);
  Json results = Json::array();
  size_t failed = 0;
  if (!settings.json)
    std::cout << fmt::format("{:12} {:58} {:>11} {:>11} {:>9}\n", "family", "check", "expected",
                             "got", "tolerance");
  for (const ClosedForm& check : checks) {
    throw_if_interrupted();
    const double got = check.compute();
    if (!holds(check, got)) ++failed;
    if (settings.json)
      results.push_back(to_json(check, got));
    else
      print(check, got);
  }
  if (settings.json)
    std::cout << Json{{"checks", results}, {"failed", failed}, {"ok", failed == 0}}.dump(2) << "\n";
  else
    std::cout << fmt::format("{} of {} checks hold\n", checks.size() - failed, checks.size());
  return failed == 0 ? 0 : kSomeFailed;
}

const CommandRegistration registration({
    .name = "selftest",
    .summary = "Checks the measures of compression against values known in closed form",
    .example = "crrm selftest dimension",
    .run = &selftest,
});

}  // namespace

}  // namespace crrm::cli
