#include "crrm/report/html.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "crrm/base/error.h"
#include "crrm/report/page.h"
#include "example.h"
#include "markup.h"

namespace crrm {
namespace {

using Json = nlohmann::ordered_json;

/// Puts `text` in the place of every text that the schema leaves free, config's keys included.
void poison(Json& value, const std::string& text) {
  if (value.is_string()) value = text;
  if (value.is_structured())
    for (Json& child : value) poison(child, text);
}

Json poisoned(const std::string& text) {
  const Json example = example_report();
  Json report = example;
  poison(report, text);
  report["goals"][0]["kind"] = example["goals"][0]["kind"];
  for (size_t i = 0; i < report["stages"].size(); ++i) {
    report["stages"][i]["name"] = example["stages"][i]["name"];
    report["stages"][i]["latency_ms"] = example["stages"][i]["latency_ms"];
  }
  report["config"][text] = text;
  report["seconds"][text] = 1.0;
  return report;
}

TEST(Html, EveryTextOfTheReportIsEscaped) {
  const std::string page = html(poisoned("</script><script>alert('x')</script>\"<!--"));
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_FALSE(contains(page, "<!--"));
  EXPECT_FALSE(contains(page, "alert('x')"));
  EXPECT_GT(count(page, "&lt;/script&gt;&lt;script&gt;alert(&#39;x&#39;)"), 40u);
  // The data, Chart.js and the page's own script: no fourth element was opened or closed.
  EXPECT_EQ(count(page, "<script"), 3u);
  EXPECT_EQ(count(page, "</script"), 3u);
}

TEST(Html, EscapesEveryCharacterThatMarkupIsMadeOf) {
  EXPECT_EQ(escape_html("<a b=\"c\" d='e'>&amp;"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
}

TEST(Html, ScriptJsonParsesToTheSameAndCannotEndItsElement) {
  const Json value = {{"</script>", "<!--<script>"}, {"n", 1}};
  const std::string text = script_json(value);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(Json::parse(text), value);
}

TEST(Html, AsksTheNetworkForNothing) {
  const std::string page = html(example_report());
  EXPECT_TRUE(contains(page, "default-src 'none'"));
  const std::string text = markup(page);
  EXPECT_FALSE(std::regex_search(text, std::regex("https?://|src=|@import|url\\(")));
  EXPECT_TRUE(contains(page, "Chart.js v"));
}

TEST(Html, EveryElementThatOpensCloses) {
  const std::string text = markup(html(example_report()));
  for (const char* name : {"section", "table", "tr", "td", "th", "ul", "li", "span", "div", "dl",
                           "dt", "dd", "figure", "p", "details", "header", "main", "body"}) {
    const std::string tag = name;
    const size_t open = count(text, "<" + tag + ">") + count(text, "<" + tag + " ");
    EXPECT_EQ(open, count(text, "</" + tag + ">")) << tag;
    EXPECT_GT(open, 0u) << tag;
  }
}

TEST(Html, ShowsFiguresFrozenReasonsProofAndWarnings) {
  const std::string page = html(example_report());
  for (const char* part :
       {"resnet20 keeps 49.8 % of its MACs", "−1.21 points", "20.3 M", "89.97–91.05 %",
        "frozen: its outputs are the model&#39;s", "16×16×3×3 → 5×15×3×3", "1.25e-06",
        "masked vs cut", "layer1.0.conv1.weight[0]", "<dt>optimizer.momentum</dt><dd>0.9</dd>",
        "1 h 02 min", "<dt>core-hours</dt><dd>1.94</dd>", "23 min 26 s, 0.391 core-hours",
        "Warning.", "crrm compress resnet20.onnx --data cifar10 --macs 50%"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_FALSE(contains(page, "Partial."));
}

TEST(Html, ChartDataLeavesOutWhatWasNotMeasured) {
  const std::string page = html(example_report());
  const std::string open = "id=\"charts\">";
  const size_t at = page.find(open) + open.size();
  const Json charts = Json::parse(page.substr(at, page.find("</script>", at) - at));
  ASSERT_EQ(charts.size(), 4u);
  EXPECT_EQ(charts[0]["series"][0]["points"].size(), 15u);  // every fourth of 60
  EXPECT_EQ(charts[1]["series"].size(), 2u);
  EXPECT_EQ(charts[2]["series"][0]["points"].size(), 59u);  // beta of step 0 is null
  EXPECT_EQ(charts[3]["series"][0]["points"][0], (Json{{"x", 0}, {"y", 2600.0}}));
}

TEST(Html, PartialReportWithoutCurvesNeedsNoScript) {
  Json report = example_report();
  report["stages"].erase(report["stages"].begin() + 1, report["stages"].end());
  for (const char* key : {"curve", "groups", "layers", "proof", "files"})
    report[key] = Json::array();
  report["partial"] = true;
  const std::string page = html(report);
  EXPECT_TRUE(contains(page, "Partial."));
  EXPECT_FALSE(contains(page, "<script"));
  EXPECT_FALSE(contains(page, "<h2>Proof"));
}

TEST(Html, RefusesAnInvalidReport) {
  EXPECT_THROW(html(Json::object()), InputError);
}

}  // namespace
}  // namespace crrm
