#include "crrm/report/measure_page.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "crrm/base/error.h"
#include "crrm/report/measure_schema.h"
#include "markup.h"
#include "measure_example.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> all_estimates(const Json& report) {
  std::vector<Json> all;
  for (const Json& epoch : report["epochs"])
    for (const Json& layer : epoch["layers"])
      for (const Json& estimate : layer["estimates"]) all.push_back(estimate);
  return all;
}

/// Marks of charts, without those of legends, whose SVG has no title.
std::vector<std::string> marks(const std::string& page) {
  const std::regex regex("<g class=\"(mark[a-z ]*)\" transform=\"translate\\([^)]*\\)\"><title>");
  std::vector<std::string> kinds;
  for (auto match = std::sregex_iterator(page.begin(), page.end(), regex);
       match != std::sregex_iterator(); ++match)
    kinds.push_back((*match)[1]);
  return kinds;
}

TEST(MeasurePage, HasEveryNumberOfTheReport) {
  const Json report = measure_example();
  std::vector<double> numbers;
  for (const Json& estimate : all_estimates(report)) {
    for (const char* key : {"value", "low", "high"})
      if (estimate[key].is_number()) numbers.push_back(estimate[key]);
    for (const Json& detail : estimate["details"]) numbers.push_back(detail);
  }
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(exact_numbers(measure_page(report)), numbers);
}

TEST(MeasurePage, DrawsAMarkForEachEstimateAndHollowOnesForWhatIsNotSound) {
  const Json report = measure_example();
  const std::vector<std::string> found = marks(measure_page(report));
  const std::vector<Json> all = all_estimates(report);
  EXPECT_EQ(found.size(), all.size());
  const auto refused = [](const Json& estimate) { return estimate["value"].is_null(); };
  EXPECT_EQ(std::count(found.begin(), found.end(), "mark refused"),
            std::count_if(all.begin(), all.end(), refused));
  EXPECT_EQ(std::count(found.begin(), found.end(), "mark doubtful"), 1);
}

// On a linear axis heights are affine in values: here those of I(T;Y), the only ones in nats.
TEST(MeasurePage, MarksStandAtTheirValues) {
  const std::string page = measure_page(measure_example());
  const std::regex regex(
      "translate\\(([0-9.]+) ([0-9.]+)\\)\"><title>([0-9]) [a-z0-9]+, I\\(T;Y\\): ([0-9.]+) nats");
  std::vector<std::pair<double, double>> places;  // value, height
  for (auto match = std::sregex_iterator(page.begin(), page.end(), regex);
       match != std::sregex_iterator(); ++match)
    places.emplace_back(std::stod((*match)[4]), std::stod((*match)[2]));
  ASSERT_EQ(places.size(), 15u);
  const auto [low, high] = std::minmax_element(places.begin(), places.end());
  const double slope = (high->second - low->second) / (high->first - low->first);
  EXPECT_LT(slope, -10);  // upwards
  for (const auto& [value, height] : places)
    EXPECT_NEAR(height, low->second + slope * (value - low->first), 0.11) << value;
}

TEST(MeasurePage, SaysWhyANumberIsNotSound) {
  const std::string page = measure_page(measure_example());
  EXPECT_TRUE(contains(page, "2 conv1, TwoNN: "));
  EXPECT_TRUE(contains(page, ". ties: 8 % of the samples have an equal</title>"));
  EXPECT_TRUE(contains(page, "4 fc1, TwoNN: refused. too few samples: more than half"));
  EXPECT_TRUE(contains(page, "<strong>TwoNN, ties.</strong> Layer 2: 8 % of the samples have"));
  EXPECT_TRUE(contains(page, "<td class=\"refused\">refused<sup>b</sup></td>"));
  EXPECT_TRUE(contains(page, "Do not compare layers"));
  EXPECT_TRUE(contains(page, "Source: Facco et al. 2017, equation 5"));
}

TEST(MeasurePage, MeasuresOfOneQuantityShareTheirAxes) {
  const std::string page = measure_page(measure_example());
  EXPECT_EQ(count(page, "role=\"img\""), 5u);  // of seven measures
  EXPECT_EQ(count(page, "<ul class=\"legend\">"), 2u);
}

TEST(MeasurePage, TellsMeasuresOfOneNameApartByTheirDetails) {
  const std::string page = measure_page(measure_example());
  EXPECT_TRUE(contains(page, "1 input, GRIDE n1 16: 10 dimensions"));
  EXPECT_EQ(count(page, "<dt>GRIDE</dt>"), 1u);
}

TEST(MeasurePage, OneEpochNeedsNoScript) {
  Json report = measure_example();
  report["epochs"].erase(report["epochs"].begin(), report["epochs"].begin() + 2);
  const std::string page = measure_page(report);
  EXPECT_FALSE(contains(page, "<script"));
  EXPECT_FALSE(contains(markup(page), "class=\"off\""));
}

TEST(MeasurePage, LayersMayComeAndGoBetweenEpochs) {
  Json report = measure_example();
  report["epochs"][2]["layers"].erase(1);
  const std::string page = measure_page(report);
  EXPECT_TRUE(contains(page, "5 conv1, TwoNN"));
  EXPECT_EQ(marks(page).size(), all_estimates(report).size());
}

TEST(MeasurePage, EscapesEveryText) {
  const std::string text = "</title><script>alert('x')</script>";
  Json report = measure_example();
  report["warnings"].push_back(text);
  for (Json& epoch : report["epochs"]) {
    epoch["name"] = text;
    for (Json& layer : epoch["layers"]) {
      layer["name"] = layer["name"].get<std::string>() + text;
      layer["op"] = text;
      for (Json& estimate : layer["estimates"]) {
        estimate["details"][text] = 1;
        for (const char* key : {"family", "measure", "reason", "assumptions", "source", "unit"})
          estimate[key] = estimate[key].get<std::string>() + text;
      }
    }
  }
  const std::string page = measure_page(report);
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_EQ(count(page, "<script"), 1u);
  EXPECT_GT(count(page, "&lt;script&gt;alert(&#39;x&#39;)"), 100u);
}

TEST(MeasurePage, IsWellFormedAndAsksTheNetworkForNothing) {
  const std::string page = measure_page(measure_example());
  EXPECT_THAT(unbalanced(page), testing::IsEmpty());
  EXPECT_TRUE(contains(page, "default-src 'none'"));
  EXPECT_FALSE(std::regex_search(markup(page), std::regex("https?://|src=|@import|url\\(")));
}

TEST(MeasurePage, ShowsAReportWithoutEpochs) {
  Json report = measure_example();
  report["epochs"] = Json::array();
  report["partial"] = true;
  EXPECT_TRUE(contains(measure_page(report), "Partial."));
  EXPECT_THROW(measure_page(Json::object()), InputError);
}

}  // namespace
}  // namespace crrm
