#include "crrm/report/payoff.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "example.h"

namespace crrm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::ordered_json;

/// The example, its last stage as fast as the first times `ratio` in the first way of running it.
Json example_with(double ratio) {
  Json report = example_report();
  const double dense = report["stages"].front()["latency_ms"][0]["median"];
  report["stages"].back()["latency_ms"][0]["median"] = dense * ratio;
  return report;
}

std::string unpaid(const Json& report) {
  return unpaid_cut(report["stages"], report["layers"]);
}

TEST(Payoff, NamesTheWayOfRunningAndTheReason) {
  // All of the 20 layers but the first, which reads 3 and writes 15 of 16, had multiples of 8 on
  // both axes or 10 outputs; of conv1's in layer2.2 and layer1.2 8 outputs are left, but of 15
  // and 31.
  EXPECT_EQ(
      unpaid(example_with(0.97)),
      "the cut does not pay: 49.8 % of the MACs take 97.0 % of the time in crrm, 1 thread, batch "
      "1. Time also goes into starting operators and moving memory, and computing blocks of 8 "
      "channels that are not full: 20 of 20 layers lost a width that was a multiple of 8. "
      "--latency limits time itself.");
}

TEST(Payoff, NamesEveryWay) {
  Json report = example_with(0.97);
  report["stages"].back()["latency_ms"][2]["median"] = 5.0;  // of 2.5
  EXPECT_THAT(unpaid(report), HasSubstr("97.0 % of the time in crrm, 1 thread, batch 1; 200.0 % of "
                                        "the time in ONNX Runtime, 1 thread, batch 1."));
}

TEST(Payoff, OnlyWhereTimeHardlyFell) {
  EXPECT_NE(unpaid(example_with(0.951)), "");
  EXPECT_THAT(unpaid(example_with(0.949)), IsEmpty());
}

TEST(Payoff, OnlyWhereMacsFell) {
  Json report = example_with(1);
  report["stages"].back()["macs"] = report["stages"].front()["macs"].get<int64_t>() * 91 / 100;
  EXPECT_THAT(unpaid(report), IsEmpty());
}

TEST(Payoff, BlamesNoWidthThatIsWhole) {
  Json report = example_with(1);
  for (Json& layer : report["layers"]) layer["after"] = layer["before"];
  report["layers"][0]["after"] = Json::array();  // it is gone
  EXPECT_THAT(unpaid(report),
              HasSubstr("batch 1. Time also goes into starting operators and moving memory."));
}

TEST(Payoff, ComparesLikeWithLike) {
  Json report = example_with(1);
  report["stages"].back()["latency_ms"][0]["threads"] = 7;
  EXPECT_THAT(unpaid(report), IsEmpty());
  report["stages"].erase(report["stages"].begin() + 1, report["stages"].end());
  EXPECT_THAT(unpaid(report), IsEmpty());
}

}  // namespace
}  // namespace crrm
