#include "crrm/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "m.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parse_json(R"({"b": 1, "a": [2.5]})", "m.json").dump(), R"({"b":1,"a":[2.5]})");
}

TEST(Json, SaysWhereItEnds) {
  EXPECT_THAT(error_of("{"), HasSubstr("m.json: byte 2"));
}

TEST(Json, RefusesNumbersBeyondFloat64) {
  EXPECT_THAT(error_of(R"({"a": 1e999})"), HasSubstr("number overflow"));
}

}  // namespace
}  // namespace crrm
