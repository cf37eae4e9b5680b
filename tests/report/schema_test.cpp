#include "crrm/report/schema.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "example.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

Fault fault_of(const Json& report) {
  try {
    validate(report, "run/report.json");
  } catch (const InputError& error) {
    return error.fault();
  }
  return {};
}

TEST(Schema, TakesTheExampleAndWhatItsTextParsesTo) {
  EXPECT_NO_THROW(validate(example_report(), "report.json"));
  EXPECT_NO_THROW(validate(Json::parse(example_report().dump()), "report.json"));
}

/// A change to the example, and the error that it must give.
struct Damage {
  std::string pointer;
  Json value;
  std::string place;
  std::string expected;
  std::string found;
};

TEST(Schema, NamesPathExpectedAndFound) {
  const std::vector<Damage> damages = {
      {"/schema_version", 2, "schema_version", "1", "2"},
      {"/seed", -1, "seed", "integer >= 0", "-1"},
      {"/seed", 0.5, "seed", "integer >= 0", "0.5"},
      {"/stages", Json::array(), "stages", "one stage at least", "a list of 0"},
      {"/stages", 3, "stages", "list", "3"},
      {"/stages/2/metric/held_out", "good", "stages[2].metric.held_out", "number or null",
       "\"good\""},
      {"/stages/1/name", "smaller", "stages[1].name", "\"masked\"", "\"smaller\""},
      {"/stages/0/metric/test_interval", Json::array({0.9}), "stages[0].metric.test_interval",
       "two numbers", "a list of 1"},
      {"/stages/0/latency_ms/1/median", -1.0, "stages[0].latency_ms[1].median", "number >= 0",
       "-1.0"},
      {"/curve/7/step", nullptr, "curve[7].step", "integer >= 0", "null"},
      {"/curve/7/loss", std::numeric_limits<double>::infinity(), "curve[7].loss", "number or null",
       "null"},
      {"/groups/0/members/1", 4, "groups[0].members[1]", "text", "4"},
      {"/layers/0/before/0", "x", "layers[0].before[0]", "integer >= 0", "\"x\""},
      {"/proof/0/ok", 1, "proof[0].ok", "true or false", "1"},
      {"/seconds/train", "long", "seconds.train", "number >= 0", "\"long\""},
      {"/goals/0", Json::array(), "goals[0]", "object", "a list of 0"},
      {"/machine/gpus", 1, "machine.gpus", "a key that reports have", "\"gpus\""}};
  for (const Damage& damage : damages) {
    Json report = example_report();
    report[Json::json_pointer(damage.pointer)] = damage.value;
    const Fault fault = fault_of(report);
    EXPECT_EQ(fault.file, "run/report.json") << damage.pointer;
    EXPECT_EQ(fault.place, damage.place);
    EXPECT_THAT(fault.expected, HasSubstr(damage.expected)) << damage.pointer;
    EXPECT_THAT(fault.found, HasSubstr(damage.found)) << damage.pointer;
  }
}

TEST(Schema, UnknownKeyGivesTheNearest) {
  Json report = example_report();
  report["machine"]["gpus"] = 1;
  EXPECT_EQ(fault_of(report).hint, "did you mean gpu?");
}

TEST(Schema, RefusesWhatIsNoObject) {
  EXPECT_EQ(fault_of(Json::array()).place, "the document");
  EXPECT_EQ(fault_of(Json()).found, "null");
}

/// With an entry in every list.
Json full_report() {
  Json report = example_report();
  report["stages"][0]["outputs"] = {
      {{"name", "scores"}, {"relative_error", 0.03}, {"top1_agreement", 0.99}}};
  return report;
}

/// Each key of the table, left out of the example, is missed under its own name.
TEST(Schema, EveryKeyIsRequired) {
  int tried = 0;
  for (const ReportKey& key : report_keys()) {
    if (key.path.ends_with("[]") || key.path.ends_with("*")) continue;
    std::string pointer = "/" + key.path;
    for (size_t at; (at = pointer.find("[].")) != std::string::npos;) pointer.replace(at, 3, "/0/");
    for (char& c : pointer) c = c == '.' ? '/' : c;
    std::string place = key.path;
    for (size_t at; (at = place.find("[]")) != std::string::npos;) place.replace(at, 2, "[0]");
    const Json::json_pointer where(pointer);
    Json report = full_report();
    ASSERT_TRUE(report.contains(where)) << pointer;
    report[where.parent_pointer()].erase(where.back());
    EXPECT_EQ(fault_of(report).place, place);
    EXPECT_EQ(fault_of(report).found, "nothing");
    ++tried;
  }
  EXPECT_GT(tried, 80);
}

TEST(Schema, NullIsTakenExactlyWhereTheTableSaysSo) {
  for (const ReportKey& key : report_keys()) {
    if (key.path.ends_with("[]") || key.path.ends_with("*")) continue;
    std::string pointer = "/" + key.path;
    for (size_t at; (at = pointer.find("[].")) != std::string::npos;) pointer.replace(at, 3, "/0/");
    for (char& c : pointer) c = c == '.' ? '/' : c;
    Json report = full_report();
    report[Json::json_pointer(pointer)] = nullptr;
    EXPECT_EQ(fault_of(report).place.empty(), key.nullable) << key.path;
  }
}

TEST(Schema, ManualHoldsTheTable) {
  const std::filesystem::path root =
      std::filesystem::path(CRRM_TEST_DATA).parent_path().parent_path().parent_path();
  const std::string manual = read_file(root / "docs" / "report.md");
  EXPECT_THAT(manual, HasSubstr(schema_markdown()))
      << "docs/report.md: replace the table of keys by\n"
      << schema_markdown();
}

}  // namespace
}  // namespace crrm
