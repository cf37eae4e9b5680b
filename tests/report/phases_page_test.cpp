#include "crrm/report/phases_page.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "crrm/base/error.h"
#include "markup.h"
#include "phases_example.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;

TEST(PhasesPage, EachCurveHasALineAndAMarkWithAStopAnEpoch) {
  const std::string page = phases_page(phases_example());
  const std::vector<std::string> paths = captures(page, "data-path=\"([^\"]*)\"");
  EXPECT_EQ(paths.size(), 36u);  // set-ups and controls, seeds, channels, layers: 3 x 2 x 2 x 3
  EXPECT_EQ(count(page, "class=\"trail\""), paths.size());
  for (const std::string& path : paths) EXPECT_EQ(count(path, " "), 3u) << path;
  EXPECT_EQ(captures(page, "data-path=\"[^\"]*( -)\"").size(), 3u);
}

// Of a line from (8.3, ...) over thirds to (7.2, ...): equal steps of x are equal steps.
TEST(PhasesPage, StopsStandAtTheirValues) {
  const std::string page = phases_page(phases_example());
  const std::vector<std::string> paths = captures(page, "data-path=\"([^\"]*)\"");
  const std::regex stop("([0-9.]+),([0-9.]+)");
  const std::string& path = paths[1];  // layer 2
  std::vector<std::pair<double, double>> places;
  for (auto match = std::sregex_iterator(path.begin(), path.end(), stop);
       match != std::sregex_iterator(); ++match)
    places.emplace_back(std::stod((*match)[1]), std::stod((*match)[2]));
  ASSERT_EQ(places.size(), 4u);
  for (size_t i = 2; i < 4; ++i) {
    EXPECT_NEAR(places[i].first - places[i - 1].first, places[1].first - places[0].first, 0.21);
    EXPECT_NEAR(places[i].second - places[i - 1].second, places[1].second - places[0].second, 0.21);
  }
  EXPECT_LT(places[3].first, places[0].first);
  EXPECT_LT(places[3].second, places[0].second);  // upwards
}

TEST(PhasesPage, OnlyAChannelOfTheNetworkIsCalledInformation) {
  Json report = phases_example();
  std::string page = phases_page(report);
  EXPECT_EQ(count(page, ">I(X;T), nats<"), 1u);
  EXPECT_EQ(count(page, ">clustering index, nats<"), 5u);
  report["setups"][1]["channels"][0]["inside"] = false;
  page = phases_page(report);
  EXPECT_EQ(count(page, ">I(X;T), nats<"), 0u);
  EXPECT_EQ(count(page, ">clustering index, nats<"), 6u);
}

TEST(PhasesPage, HasVerdictsInWords) {
  const std::string page = phases_page(phases_example());
  EXPECT_TRUE(contains(page, "claimed in 1 of 2 set-ups, and in 0 of 1 controls"));
  EXPECT_EQ(count(page, "<strong>Phase.</strong> late fall in layer 3 of 6"), 1u);
  EXPECT_EQ(count(page, "<strong>No phase claimed.</strong> no layer falls late"), 2u);
  EXPECT_TRUE(contains(page, "93.8 %"));
}

TEST(PhasesPage, HasTheNumbersThatVerdictsRestOn) {
  const Json report = phases_example();
  std::vector<double> numbers;
  for (const char* list : {"setups", "controls"})
    for (const Json& setup : report[list]) {
      for (const Json& change : setup["verdict"]["changes"]) {
        numbers.push_back(change["change"]);
        if (change["saturated"]) continue;
        numbers.push_back(change["low"]);
        numbers.push_back(change["high"]);
      }
      for (const Json& curve : setup["curves"])
        for (const char* key : {"x", "y", "x_low", "x_high"})
          if (curve[key].back().is_number()) numbers.push_back(curve[key].back());
    }
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(exact_numbers(phases_page(report)), numbers);
}

TEST(PhasesPage, RefusesCurvesOfAnotherLength) {
  Json report = phases_example();
  report["setups"][1]["curves"][2]["y"].push_back(0.5);
  try {
    phases_page(report);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.fault().place, "setups[1].curves[2].y");
    EXPECT_EQ(error.fault().expected, "a list of 4, one an epoch");
    EXPECT_EQ(error.fault().found, "a list of 5");
  }
  EXPECT_THROW(phases_page(Json::object()), InputError);
}

TEST(PhasesPage, EscapesEveryText) {
  const std::string text = "</title><script>alert('x')</script>";
  Json report = phases_example();
  Json& setup = report["setups"][0];
  for (const char* key : {"name", "meaning"}) setup[key] = text;
  setup["verdict"]["text"] = setup["verdict"]["layers"][0]["text"] = text;
  setup["layers"][0] = setup["channels"][0]["name"] = setup["channels"][0]["quantity"] = text;
  for (Json& curve : setup["curves"]) curve["layer"] = curve["channel"] = text;
  const std::string page = phases_page(report);
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_EQ(count(page, "<script"), 1u);
}

TEST(PhasesPage, IsWellFormedAndAsksTheNetworkForNothing) {
  const std::string page = phases_page(phases_example());
  EXPECT_THAT(unbalanced(page), testing::IsEmpty());
  EXPECT_FALSE(std::regex_search(markup(page), std::regex("https?://|src=|@import|url\\(")));
}

TEST(PhasesPage, ShowsAReportThatHasOnlyBegun) {
  Json report = phases_example();
  report["setups"] = report["controls"] = Json::array();
  report["partial"] = true;
  EXPECT_TRUE(contains(phases_page(report), "Partial."));
}

}  // namespace
}  // namespace crrm
