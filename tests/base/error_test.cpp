#include "crrm/base/error.h"

#include <gmock/gmock.h>

namespace crrm {
namespace {

using testing::HasSubstr;

TEST(Error, BlockLeavesEmptyFieldsOut) {
  EXPECT_EQ(describe({.file = "a.csv", .place = "line 3", .found = "x", .hint = "give a number"}),
            "a.csv: line 3\n  found     x\n  hint      give a number");
}

TEST(Error, InternalErrorRemembersItsStack) {
  const InternalError error("shapes differ");
  EXPECT_STREQ(error.what(), "shapes differ");
  EXPECT_THAT(error.stack(), HasSubstr("frame #1"));
}

}  // namespace
}  // namespace crrm
