#include "crrm/report/text.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "crrm/base/error.h"
#include "crrm/report/comparison.h"
#include "crrm/report/markdown.h"
#include "example.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

int64_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

// 20324548 / 40812345 = 49.80 %, 168660 / 272474 = 61.90 %, 0.9173 - 0.9052 = 1.21 points.
TEST(Summary, ShowsTheExample) {
  EXPECT_EQ(
      summary(example_report()),
      R"(resnet20 keeps 49.8 % of its MACs and 61.9 % of its parameters, at a loss of 1.21 points of accuracy on test data (91.73 % to 90.52 %).
                               dense   masked      cut  recalibrated    final      of dense
accuracy, held out           92.04 %  89.96 %  89.96 %       90.08 %  90.84 %  -1.20 points
accuracy, test               91.73 %        -        -             -  90.52 %  -1.21 points
parameters                     272 k    272 k    169 k         169 k    169 k        61.9 %
MACs                          40.8 M   40.8 M   20.3 M        20.3 M   20.3 M        49.8 %
file size                    1.11 MB  1.11 MB   696 kB        696 kB   696 kB        62.6 %
latency, 1 thread, batch 1   4.25 ms  4.25 ms  2.39 ms       2.39 ms  2.39 ms        56.2 %
latency, 2 threads, batch 1  2.75 ms  2.75 ms  1.55 ms       1.55 ms  1.55 ms        56.2 %
Goal met: 20.3 M MACs of at most 20.4 M (50%).
Proved: outputs differ by at most 3.5e-06, allowed 1.0e-04 (3 comparisons). Took 1 h 02 min, 1.94 core-hours.
Warning: latency varied by more than 3 %: other programs may have run beside it
)");
}

TEST(Summary, HasTwelveLinesAtMost) {
  Json report = example_report();
  report["partial"] = true;
  report["warnings"] = Json::array({"one\nof two lines", "two", "three"});
  EXPECT_EQ(lines(summary(report)), 12);
  EXPECT_THAT(summary(report), HasSubstr("Partial: the run ended early. 3 warnings"));
  report["warnings"] = Json::array({"one\nof two lines"});
  EXPECT_EQ(lines(summary(report)), 12);
}

TEST(Summary, PartialRunWithOneStageAndNothingElse) {
  Json report = example_report();
  report["stages"].erase(report["stages"].begin() + 1, report["stages"].end());
  report["stages"][0]["latency_ms"] = Json::array();
  for (const char* key : {"curve", "groups", "layers", "proof", "files", "warnings"})
    report[key] = Json::array();
  report["goals"][0]["met"] = false;
  report["goals"][0]["reached"] = 40812345;
  report["partial"] = true;
  EXPECT_EQ(summary(report),
            R"(resnet20 has 40.8 M MACs and 272 k parameters; the run did not get to compress it.
                      dense
accuracy, held out  92.04 %
accuracy, test      91.73 %
parameters            272 k
MACs                 40.8 M
file size           1.11 MB
Goal not met: 40.8 M MACs of at most 20.4 M (50%).
Not proved: nothing was compared. Took 1 h 02 min, 1.94 core-hours.
Partial: the run ended early.
)");
}

TEST(Summary, ComparesHeldOutDataWhereTestDataWasNotReadAtBothEnds) {
  Json report = example_report();
  report["stages"][4]["metric"]["test"] = nullptr;
  EXPECT_THAT(summary(report), HasSubstr("loss of 1.20 points of accuracy on held-out data"));
}

TEST(Summary, WhatStaysTheSameIsNoLossOfNothing) {
  Json report = example_report();
  report["stages"].back()["metric"]["test"] = report["stages"][0]["metric"]["test"];
  EXPECT_THAT(headline(report), HasSubstr(", at the same accuracy on test data (91.73 %)."));
}

TEST(Summary, OtherMetricsAreNotPercent) {
  Json report = example_report();
  for (Json& stage : report["stages"]) stage["metric"]["name"] = "mean_error_cm";
  const std::string text = summary(report);
  EXPECT_THAT(text, HasSubstr("its mean_error_cm on test data changes by -0.0121"));
  EXPECT_THAT(text, Not(HasSubstr("points")));
}

TEST(Summary, AFailedComparisonIsNoProof) {
  Json report = example_report();
  report["proof"][1]["ok"] = false;
  EXPECT_THAT(summary(report), HasSubstr("Not proved: outputs differ by 0, allowed 1.0e-06 (1 of 3 "
                                         "comparisons failed)."));
  EXPECT_THAT(markdown(report), HasSubstr("**exceeded**"));
}

// Every run's own file has the same name.
TEST(Summary, NamesAModelOfARunByItsFolder) {
  EXPECT_EQ(name_of_model("models/resnet20.onnx"), "resnet20");
  EXPECT_EQ(name_of_model("/runs/digits-crrm/model.onnx"), "digits-crrm");
  EXPECT_EQ(name_of_model("model.onnx"), "model");
  EXPECT_EQ(name_of_model("lenet5"), "lenet5");
  Json report = example_report();
  report["model"]["path"] = "/runs/digits-crrm/model.onnx";
  EXPECT_THAT(summary(report), testing::StartsWith("digits-crrm keeps"));
}

TEST(Summary, TellsEnergyAndPriceWhereTheyAreKnown) {
  Json report = example_report();
  report["cost"]["joules"] = 182'000.0;
  report["cost"]["price_per_hour"] = 0.5;
  report["cost"]["total"] = 0.52;
  EXPECT_THAT(summary(report),
              HasSubstr(" Took 1 h 02 min, 1.94 core-hours, 182 kJ, price 0.52.\n"));
}

// 2.5 ms and 1.40625 ms a sample: 2500 s and 1406.25 s a million.
TEST(Markdown, TellsWhatAMillionSamplesCost) {
  EXPECT_THAT(markdown(example_report()),
              HasSubstr("\n| 1 M samples, ONNX Runtime, 1 thread, batch 1 | 41 min 40 s, 0.694 "
                        "core-hours | – | – | – | 23 min 26 s, 0.391 core-hours |\n"));
}

TEST(Markdown, TellsLatenciesOfTwoBatchesApart) {
  Json report = example_report();
  for (Json& stage : report["stages"]) {
    Json larger = stage["latency_ms"][1];
    larger["batch"] = 64;
    stage["latency_ms"].push_back(larger);
  }
  EXPECT_THAT(markdown(report), HasSubstr("| latency, 2 threads, batch 1 |"));
  EXPECT_THAT(markdown(report), HasSubstr("| latency, 2 threads, batch 64 |"));
}

TEST(Markdown, HasARowForEachFigureAndOneColumnAStage) {
  const std::string text = markdown(example_report());
  EXPECT_THAT(text, HasSubstr("\n| | dense | masked | cut | recalibrated | final |\n"
                              "|---|---:|---:|---:|---:|---:|\n"));
  EXPECT_THAT(text, HasSubstr("\n| MACs | 40.8 M | 40.8 M (100.0 %) | 20.3 M (49.8 %) | "
                              "20.3 M (49.8 %) | 20.3 M (49.8 %) |\n"));
  EXPECT_THAT(text, HasSubstr("\n| accuracy, test | 91.73 % | – | – | – | 90.52 % "
                              "(-1.21 points) |\n"));
  EXPECT_THAT(text,
              HasSubstr("- masked vs cut: largest difference 1.25e-06, bound 1e-05, 64 inputs,"
                        " crrm: within\n"));
}

TEST(Markdown, TextsOfTheReportAddNoMarkup) {
  Json report = example_report();
  report["warnings"] = Json::array({"a|b <img src=x> [l](u) `c`\n# d"});
  EXPECT_THAT(markdown(report),
              HasSubstr("- Warning: a\\|b \\<img src=x\\> \\[l\\](u) \\`c\\` \\# d\n"));
}

TEST(Markdown, RefusesAnInvalidReport) {
  EXPECT_THROW(markdown(Json::object()), InputError);
  EXPECT_THROW(summary(Json::object()), InputError);
}

}  // namespace
}  // namespace crrm
