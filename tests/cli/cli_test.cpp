// Runs the program as users do. Each tests/cli/*.test is a list of steps:
//
//   $ COMMAND              for sh, in an empty folder; $DEMO, $DOCS, $FILES are the project's
//   exit N                 its exit code; 0 where the step does not say
//   stdout|stderr TEXT     what the stream contains
//   silent stdout|stderr   the stream is empty
//   json POINTER VALUE     what stdout, one JSON document, holds there
//   file|no-file PATH      what exists afterwards
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Step {
  int line = 0;
  std::string command;
  int exit = 0;
  std::vector<std::pair<std::string, std::string>> checks = {};  // keyword, rest
};

std::pair<std::string, std::string> split(const std::string& line) {
  const size_t space = line.find(' ');
  if (space == std::string::npos) return {line, ""};
  return {line.substr(0, space), line.substr(space + 1)};
}

std::vector<Step> read_steps(const fs::path& path) {
  std::vector<Step> steps;
  std::ifstream file(path);
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const auto [word, rest] = split(line);
    if (word == "$")
      steps.push_back({.line = number, .command = rest});
    else if (word == "exit")
      steps.back().exit = std::stoi(rest);
    else
      steps.back().checks.emplace_back(word, rest);
  }
  return steps;
}

void check(const Step& step, const std::string& word, const std::string& rest) {
  if (word == "stdout" || word == "stderr") {
    EXPECT_THAT(content(word), HasSubstr(rest));
  } else if (word == "silent") {
    EXPECT_EQ(content(rest), "");
  } else if (word == "json") {
    const auto [path, value] = split(rest);
    const Json document = Json::parse(content("stdout"), nullptr, /*allow_exceptions=*/false);
    ASSERT_FALSE(document.is_discarded()) << "stdout is no JSON document:\n" << content("stdout");
    ASSERT_TRUE(document.contains(Json::json_pointer(path))) << path;
    EXPECT_EQ(document[Json::json_pointer(path)], Json::parse(value)) << path;
  } else if (word == "file") {
    EXPECT_TRUE(fs::exists(rest)) << rest;
  } else if (word == "no-file") {
    EXPECT_FALSE(fs::exists(rest)) << rest;
  } else {
    FAIL() << "unknown check \"" << word << "\"";
  }
}

void run(const Step& step) {
  const int status = std::system(("{ " + step.command + "\n} >stdout 2>stderr").c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), step.exit) << content("stderr");
  for (const auto& [word, rest] : step.checks) check(step, word, rest);
}

class Cli : public testing::TestWithParam<std::string> {
 protected:
  Cli() : before_(fs::current_path()) {
    std::string pattern = (fs::temp_directory_path() / "crrm-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
    const std::string path = fs::path(CRRM_PROGRAM).parent_path().string() + ":";
    setenv("PATH", (path + std::getenv("PATH")).c_str(), 1);
    setenv("DEMO", CRRM_SOURCE "/demo", 1);
    setenv("DOCS", CRRM_SOURCE "/docs", 1);
    setenv("FILES", CRRM_TEST_DATA, 1);
  }
  ~Cli() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

 private:
  fs::path before_, folder_;
};

TEST_P(Cli, DoesWhatTheFileSays) {
  for (const Step& step :
       read_steps(fs::path(CRRM_TEST_DATA).parent_path() / (GetParam() + ".test"))) {
    SCOPED_TRACE(fmt::format("{}.test, line {}: {}", GetParam(), step.line, step.command));
    run(step);
  }
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(CRRM_TEST_DATA).parent_path()))
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, Cli, testing::ValuesIn(files()),
                         [](const auto& info) { return info.param; });

}  // namespace
