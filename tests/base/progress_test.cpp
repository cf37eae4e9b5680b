#include "crrm/base/progress.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "crrm/base/error.h"

namespace crrm {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Terminal kPlainTerminal{.interactive = true, .width = 100};

const ProgressState kState{.phase = "compress",
                           .phase_index = 2,
                           .phases = 4,
                           .fraction = 0.25,
                           .metric = "accuracy 0.91 / 0.90",
                           .cost = "MACs 61 % / 50 %"};

/// A Progress whose clock the test turns.
struct Fixture {
  Fixture(ProgressMode mode, const Terminal& terminal)
      : progress(out, mode, terminal, [this] { return Progress::Seconds(time); }) {}

  std::string update(double at, double fraction = 0.25) {
    time = at;
    out.str("");
    ProgressState state = kState;
    state.fraction = fraction;
    progress.update(state);
    return out.str();
  }

  double time = 0;
  std::ostringstream out;
  Progress progress;
};

TEST(Progress, BarWaitsTwoSecondsThenDrawsFiveTimesASecondAtMost) {
  Fixture f(ProgressMode::automatic, kPlainTerminal);
  EXPECT_EQ(f.update(0, 0), "");
  EXPECT_EQ(f.update(1.99), "");
  EXPECT_EQ(f.update(2),
            "2/4 compress  [#####...............]  25 %  accuracy 0.91 / 0.90  MACs 61 % / 50 %  6 "
            "s left");
  EXPECT_EQ(f.update(2.19), "");
  EXPECT_THAT(f.update(2.21), StartsWith("\r\x1b[2K2/4 compress"));
  int drawn = 0;
  for (int step = 0; step < 1000; ++step) drawn += f.update(3 + step * 0.001).empty() ? 0 : 1;
  EXPECT_LE(drawn, 5);
  EXPECT_GE(drawn, 4);
}

TEST(Progress, ElsewhereAPlainLineEveryThirtySeconds) {
  Fixture f(ProgressMode::automatic, Terminal{});
  EXPECT_EQ(f.update(0, 0), "");
  EXPECT_EQ(f.update(29), "");
  EXPECT_EQ(f.update(30),
            "[2/4 compress] 25 %, accuracy 0.91 / 0.90, MACs 61 % / 50 %, 1 min 30 s left\n");
  EXPECT_EQ(f.update(59), "");
  EXPECT_THAT(f.update(60), Not(HasSubstr("\x1b")));
}

TEST(Progress, JsonLinesParse) {
  Fixture f(ProgressMode::json, Terminal{});
  EXPECT_EQ(f.update(0, 0.2), "");
  const std::string text = f.update(10, 0.6);
  ASSERT_THAT(text, EndsWith("}\n"));
  const nlohmann::json line = nlohmann::json::parse(text);
  EXPECT_EQ(line["phase"], "compress");
  EXPECT_EQ(line["fraction"], 0.6);
  EXPECT_EQ(line["elapsed_seconds"], 10.0);
  // 0.4 of the run took 10 s, and 0.4 is left: the 0.2 before a resumption do not count.
  EXPECT_DOUBLE_EQ(line["remaining_seconds"].get<double>(), 10.0);
}

TEST(Progress, OffIsSilent) {
  Fixture f(ProgressMode::off, kPlainTerminal);
  EXPECT_EQ(f.update(100), "");
}

TEST(Progress, ClearErasesOnceAndTheNextUpdateDrawsAgain) {
  Fixture f(ProgressMode::bar, kPlainTerminal);
  f.progress.clear();
  EXPECT_EQ(f.out.str(), "");
  f.update(2);
  f.out.str("");
  f.progress.clear();
  EXPECT_EQ(f.out.str(), "\r\x1b[2K");
  f.progress.clear();
  EXPECT_EQ(f.out.str(), "\r\x1b[2K");
  EXPECT_THAT(f.update(3), StartsWith("2/4"));
}

TEST(Progress, BarWithoutEscapesIsOverwrittenBySpaces) {
  Fixture f(ProgressMode::bar, Terminal{.width = 100});
  f.update(2);
  f.out.str("");
  f.progress.clear();
  EXPECT_EQ(f.out.str(), "\r" + std::string(99, ' ') + "\r");
}

TEST(BarLine, DropsWhatMattersLeastAndNeverReachesTheLastColumn) {
  for (int width = 1; width <= 200; ++width) {
    const std::string line = bar_line(kState, 3720, {.interactive = true, .width = width});
    EXPECT_LE(line.size(), static_cast<size_t>(std::max(1, width - 1)));
    if (width > 18) {
      EXPECT_THAT(line, HasSubstr("25 %")) << width;
    }
  }
  EXPECT_EQ(bar_line(kState, 3720, {.interactive = true, .width = 80}),
            "2/4 compress  25 %  accuracy 0.91 / 0.90  MACs 61 % / 50 %  1 h 02 min left");
}

TEST(BarLine, ColourIsOnlyWhereAskedFor) {
  const Terminal colorful{.interactive = true, .color = true, .unicode = true, .width = 120};
  EXPECT_THAT(bar_line(kState, -1, colorful), HasSubstr("\x1b[32m━━━━━─"));
  Terminal plain = colorful;
  plain.color = false;
  EXPECT_THAT(bar_line(kState, -1, plain), Not(HasSubstr("\x1b")));
  EXPECT_THAT(bar_line(kState, -1, plain), HasSubstr("━━━━━─"));
}

TEST(BarLine, SaysHundredPercentOnlyWhenDone) {
  ProgressState state = kState;
  state.fraction = 0.9999;
  EXPECT_THAT(plain_line(state, -1), HasSubstr("99 %"));
  state.fraction = 1;
  EXPECT_THAT(plain_line(state, -1), HasSubstr("100 %"));
  state.fraction = std::nan("");
  EXPECT_THAT(plain_line(state, -1), HasSubstr("] 0 %"));
}

TEST(RemainingSeconds, IsLinearInWhatThisProcessDid) {
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 0.25), 30);
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 0.75, 0.5), 10);
  EXPECT_LT(remaining_seconds(10, 0), 0);
  EXPECT_LT(remaining_seconds(0, 0.5), 0);
  EXPECT_LT(remaining_seconds(10, 0.5, 0.5), 0);
}

TEST(ParseProgressMode, NamesTheNearest) {
  EXPECT_EQ(parse_progress_mode("auto"), ProgressMode::automatic);
  EXPECT_EQ(parse_progress_mode("bar"), ProgressMode::bar);
  EXPECT_EQ(parse_progress_mode("lines"), ProgressMode::lines);
  EXPECT_EQ(parse_progress_mode("json"), ProgressMode::json);
  EXPECT_EQ(parse_progress_mode("off"), ProgressMode::off);
  try {
    parse_progress_mode("line");
    ADD_FAILURE() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--progress"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean lines?"));
  }
}

// A pipe is no terminal whatever the environment says.
TEST(DescribeTerminal, PipeIsNotInteractiveAndEightyWide) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Terminal terminal = describe_terminal(ends[1]);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_FALSE(terminal.interactive);
  EXPECT_FALSE(terminal.color);
  EXPECT_EQ(terminal.width, 80);
}

/// A pseudo-terminal, so that TERM and NO_COLOR are what decides.
class PseudoTerminal : public testing::Test {
 protected:
  void SetUp() override {
    primary_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(primary_, 0);
    ASSERT_EQ(::grantpt(primary_), 0);
    ASSERT_EQ(::unlockpt(primary_), 0);
    secondary_ = ::open(::ptsname(primary_), O_RDWR | O_NOCTTY);
    ASSERT_GE(secondary_, 0);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    ::setenv("LC_ALL", "en_US.UTF-8", 1);
  }
  void TearDown() override {
    ::close(secondary_);
    ::close(primary_);
    ::unsetenv("NO_COLOR");
    ::unsetenv("LC_ALL");
  }
  int primary_ = -1;
  int secondary_ = -1;
};

TEST_F(PseudoTerminal, WidthIsAskedForAndEightyIfUnknown) {
  EXPECT_EQ(describe_terminal(secondary_).width, 80);
  const winsize size{.ws_row = 40, .ws_col = 133, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(::ioctl(primary_, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(describe_terminal(secondary_).width, 133);
}

TEST_F(PseudoTerminal, HonoursTermNoColorAndTheLocale) {
  EXPECT_TRUE(describe_terminal(secondary_).interactive);
  EXPECT_TRUE(describe_terminal(secondary_).color);
  EXPECT_TRUE(describe_terminal(secondary_).unicode);
  ::setenv("LC_ALL", "C", 1);
  EXPECT_FALSE(describe_terminal(secondary_).unicode);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(describe_terminal(secondary_).interactive);
  EXPECT_FALSE(describe_terminal(secondary_).color);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(describe_terminal(secondary_).interactive);
}

}  // namespace
}  // namespace crrm
