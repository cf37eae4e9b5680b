// The pages in headless Chromium, where there is one (Debian: apt-get install chromium). It brings
// more than all other dependencies together, so what builds and tests crrm does not ask for it.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "crrm/report/html.h"
#include "crrm/report/measure_page.h"
#include "crrm/report/page.h"
#include "crrm/report/phases_page.h"
#include "example.h"
#include "markup.h"
#include "measure_example.h"
#include "phases_example.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kNarrow = 380, kWide = 1280;

bool runs(const std::string& command) {
  return std::system((command + " > /dev/null 2>&1").c_str()) == 0;
}

std::string read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Browser : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
      if (program_.empty() && runs(std::string("command -v ") + name)) program_ = name;
    if (program_.empty()) GTEST_SKIP() << "no Chromium here: apt-get install chromium";
    folder_ = fs::temp_directory_path() / fs::path("crrm-browser-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// What `script`, an expression, gives at the end of the page in a window of that width; the
  /// console has to be silent. The page is in a frame: Chromium's own windows are at least 500
  /// wide.
  Json evaluate(std::string page, const std::string& script, int width = kWide) {
    page.insert(page.rfind("</body>"),
                "<script>parent.document.title = JSON.stringify(" + script + ");</script>");
    std::ofstream(folder_ / "page.html")
        << "<!doctype html><title></title><iframe width=" << width
        << " height=900 style=\"border: 0\" srcdoc=\"" << escape_html(page) << "\"></iframe>";
    const fs::path dom = folder_ / "dom.html", log = folder_ / "log.txt";
    const std::string command =
        program_ + " --headless --no-sandbox --disable-gpu --enable-logging=stderr --log-level=0" +
        " --user-data-dir=" + (folder_ / "profile").string() + " --dump-dom file://" +
        (folder_ / "page.html").string() + " > " + dom.string() + " 2> " + log.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << read(log);
    EXPECT_THAT(read(log), testing::Not(testing::HasSubstr("CONSOLE")));
    const std::string text = read(dom);
    const size_t begin = text.find("<title>") + 7;
    return Json::parse(text.substr(begin, text.find("</title>") - begin));
  }

  std::string program_;
  fs::path folder_;
};

// What is wider than the window is scrolled inside its own box, not with the page.
TEST_F(Browser, NoPageScrollsSidewaysOnATelephone) {
  const std::string script = "[innerWidth, document.documentElement.scrollWidth <= innerWidth]";
  const Json expected = {kNarrow, true};
  EXPECT_EQ(evaluate(measure_page(measure_example()), script, kNarrow), expected);
  EXPECT_EQ(evaluate(phases_page(phases_example()), script, kNarrow), expected);
  EXPECT_EQ(evaluate(html(example_report()), script, kNarrow), expected);
}

// Of the example's three epochs one is seen: 35 marks, and one table in each of four families.
TEST_F(Browser, SliderShowsOneEpochOfLayers) {
  const std::string script = R"((() => {
    const range = document.querySelector("input[type=range]");
    const seen = () => [
      document.querySelector("output").textContent,
      Array.from(document.querySelectorAll("[data-frame] .mark"))
          .filter((mark) => mark.getClientRects().length > 0).length,
      Array.from(document.querySelectorAll("table.layers"))
          .filter((table) => table.offsetParent !== null && !table.closest("details")).length];
    const at = (frame) => {
      range.value = frame;
      range.dispatchEvent(new Event("input"));
      return seen();
    };
    return [seen(), at(0), at(1), at(2)];
  })())";
  const Json last = {"epoch 20, epoch-20.onnx", 35, 4};
  const Json expected = {
      last, {"epoch 0, epoch-0.onnx", 35, 4}, {"epoch 10, epoch-10.onnx", 35, 4}, last};
  EXPECT_EQ(evaluate(measure_page(measure_example()), script), expected);
}

// Each mark ends where its line ends; the three curves without a last number have no mark there.
TEST_F(Browser, SliderMovesTheMarksOfPlanes) {
  const std::string script = R"((() => {
    const marks = Array.from(document.querySelectorAll(".walker"));
    const seen = () => marks.filter((mark) => mark.getClientRects().length > 0).length;
    const places = () => marks.map((mark) => mark.getAttribute("transform"));
    const at = (frame) => document.querySelectorAll("input[type=range]").forEach((range) => {
      range.value = frame;
      range.dispatchEvent(new Event("input"));
    });
    const stop = (mark, frame) => mark.dataset.path.split(" ")[frame].split(",").slice(0, 2);
    const results = [marks.length, seen()];
    const last = places();
    at(0);
    results.push(seen(), places().every((place, i) =>
        place === `translate(${stop(marks[i], 0).map(Number).join(" ")})`));
    results.push(places().filter((place, i) => place !== last[i]).length);
    return results;
  })())";
  const Json found = evaluate(phases_page(phases_example()), script);
  EXPECT_EQ(found, (Json{36, 33, 36, true, 36}));
}

TEST_F(Browser, PlayBeginsAnewAtTheEnd) {
  const std::string script = R"((() => {
    const button = document.querySelector(".control button");
    const output = document.querySelector("output");
    const before = [button.getAttribute("aria-label"), output.textContent];
    button.click();
    const playing = [button.getAttribute("aria-label"), output.textContent];
    button.click();
    return [before, playing, button.getAttribute("aria-label")];
  })())";
  const Json expected = {{"play", "epoch 100"}, {"pause", "epoch 0"}, "play"};
  EXPECT_EQ(evaluate(phases_page(phases_example()), script), expected);
}

}  // namespace
}  // namespace crrm
