#include "crrm/estimators/closed_form.h"

#include <gtest/gtest.h>

namespace crrm {
namespace {

TEST(ClosedForm, EveryCheckHolds) {
  for (const ClosedForm& check : closed_forms())
    EXPECT_NEAR(check.compute(), check.expected, check.tolerance)
        << check.family << ": " << check.name << " (" << check.source << ")";
}

}  // namespace
}  // namespace crrm
