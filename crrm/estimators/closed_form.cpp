#include "crrm/estimators/closed_form.h"

#include <algorithm>

namespace crrm {

namespace {

std::vector<ClosedForm>& registry() {
  static std::vector<ClosedForm> all;
  return all;
}

}  // namespace

std::vector<ClosedForm> closed_forms() {
  std::vector<ClosedForm> all = registry();
  std::stable_sort(all.begin(), all.end(),
                   [](const ClosedForm& a, const ClosedForm& b) { return a.family < b.family; });
  return all;
}

ClosedFormRegistration::ClosedFormRegistration(std::vector<ClosedForm> checks) {
  for (ClosedForm& check : checks) registry().push_back(std::move(check));
}

}  // namespace crrm
