// Checks of the estimators whose true values are known in closed form: `crrm selftest` runs them on
// the user's machine, and the tests run the same list.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace crrm {

/// What a check found. A check of a refusal expects and gives 1 for refused, 0 for a number.
struct ClosedForm {
  std::string family;  ///< "dimension", "capacity", "information", "spectrum"
  std::string name;    ///< such as "TwoNN on Pareto ratios, d = 10"
  double expected = 0;
  double tolerance = 0;  ///< absolute; where it is statistical, `source` says how wide it is
  std::string source;    ///< of the expected value
  std::function<double()> compute;  ///< deterministic; below 2 s on a core
};

/// By family, then in the order in which their sources list them.
std::vector<ClosedForm> closed_forms();

/// A static one of these in a family's source adds its checks.
struct ClosedFormRegistration {
  explicit ClosedFormRegistration(std::vector<ClosedForm> checks);
};

}  // namespace crrm
