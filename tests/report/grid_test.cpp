#include "crrm/report/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crrm/report/page.h"
#include "example.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

Json labels(const std::string& method, int seed) {
  return {{"model", "net"},
          {"method", method},
          {"budget", "macs 50%"},
          {"seed", seed},
          {"folder", "net/" + method}};
}

/// Test accuracy at the cut and at the end.
Json cell(const std::string& method, int seed, double cut, double final) {
  Json report = example_report();
  report["stages"][2]["metric"]["test"] = cut;
  report["stages"][4]["metric"]["test"] = final;
  return grid_cell(labels(method, seed), report);
}

/// {cells, rows}
Json bench(Json cells) {
  const Json rows = grid_rows(cells);
  return {{"cells", std::move(cells)}, {"rows", rows}};
}

TEST(Grid, CellHasTheFiguresOfTheReport) {
  const Json report = example_report();
  const Json found = grid_cell(labels("crrm", 1), report);
  EXPECT_EQ(found["seed"], 1);
  EXPECT_EQ(found["metric"], "accuracy");
  EXPECT_EQ(found["dense"]["metric"], report["stages"][0]["metric"]["test"]);
  EXPECT_EQ(found["cut"]["metric"], report["stages"][2]["metric"]["held_out"]);  // test: not read
  EXPECT_EQ(found["final"]["macs"], report["stages"][4]["macs"]);
  EXPECT_TRUE(found["error"].is_null());
}

// {0.90, 0.92, 0.94}: mean 0.92, deviation sqrt(2 x 0.02^2 / 2) = 0.02.
TEST(Grid, RowsHaveMeanAndDeviationOverSeeds) {
  const Json rows = grid_rows({cell("crrm", 0, 0.90, 0.91), cell("taylor", 0, 0.80, 0.85),
                               cell("crrm", 1, 0.92, 0.91), cell("crrm", 2, 0.94, 0.91),
                               failed_cell(labels("taylor", 1), "no")});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["method"], "crrm");
  EXPECT_EQ(rows[0]["runs"], 3);
  EXPECT_NEAR(rows[0]["cut"]["mean"], 0.92, 1e-12);
  EXPECT_NEAR(rows[0]["cut"]["deviation"], 0.02, 1e-12);
  EXPECT_NEAR(rows[0]["final"]["deviation"], 0, 1e-12);
  EXPECT_DOUBLE_EQ(rows[0]["macs"]["mean"], 20324548.0 / 40812345);
  EXPECT_EQ(rows[1]["failed"], 1);
  EXPECT_TRUE(rows[1]["cut"]["deviation"].is_null());
}

// A run from scratch has no dense network of its own: shares are of the model's others.
TEST(Grid, ARunFromScratchIsMeasuredAgainstTheModel) {
  Json report = example_report();
  report["stages"] = Json::array({report["stages"][4]});
  const Json rows =
      grid_rows({cell("crrm", 0, 0.9, 0.9), grid_cell(labels("from-scratch", 0), report)});
  EXPECT_TRUE(rows[1]["cut"].is_null());
  EXPECT_DOUBLE_EQ(rows[1]["macs"]["mean"], 20324548.0 / 40812345);
  EXPECT_EQ(rows[1]["dense"], rows[0]["dense"]);
}

TEST(Grid, MarkdownHasATableForEachModelAndSaysWhatFailed) {
  const std::string text =
      grid_markdown(bench({cell("crrm", 0, 0.90, 0.91), cell("crrm", 1, 0.92, 0.93),
                           failed_cell(labels("l0", 0), "error: --macs\n  expected  more")}));
  EXPECT_THAT(text, HasSubstr("**net: accuracy, 91.73 % before**"));
  EXPECT_THAT(text, HasSubstr("| macs 50% | crrm | 49.8 % | 61.9 % | 91.00 ± 1.41 % | "
                              "92.00 ± 1.41 % | 2 | "));
  EXPECT_THAT(text, HasSubstr("| l0 | – | – | – | – | 0 of 1 | – |"));
  EXPECT_THAT(text, HasSubstr("- net/l0: error: --macs   expected  more"));
}

TEST(Grid, PageHasPointsWithWhiskers) {
  const std::string page =
      grid_html(bench({cell("crrm", 0, 0.90, 0.91), cell("crrm", 1, 0.92, 0.93)}));
  const std::string begin = "id=\"charts\">";
  const size_t at = page.find(begin) + begin.size();
  const Json charts = Json::parse(page.substr(at, page.find("</script>", at) - at));
  ASSERT_EQ(charts.size(), 4u);  // at the cut and at the end, over MACs and over parameters
  const Json& series = charts[0]["series"][0];
  EXPECT_EQ(series["label"], "crrm");
  EXPECT_NEAR(series["points"][0]["y"], 0.91, 1e-12);
  EXPECT_NEAR(series["points"][0]["d"], std::sqrt(2e-4), 1e-12);
  EXPECT_DOUBLE_EQ(series["points"][0]["x"], 20324548.0 / 40812345);
}

TEST(Grid, TextsAreEscaped) {
  Json evil = cell("crrm", 0, 0.9, 0.9);
  for (const char* key : {"model", "method", "budget", "folder"})
    evil[key] = "</script><script>alert(1)</script>";
  Json failed = failed_cell(evil, "<img src=x>");
  failed["method"] = "other";
  const std::string page = grid_html(bench({evil, failed}));
  EXPECT_THAT(page.find("<script>alert"), std::string::npos);
  EXPECT_THAT(page.find("<img"), std::string::npos);
}

}  // namespace
}  // namespace crrm
