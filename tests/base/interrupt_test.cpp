#include "crrm/base/interrupt.h"

#include <gtest/gtest.h>

#include "crrm/base/error.h"

namespace crrm {
namespace {

TEST(Interrupt, FirstSignalIsRememberedUntilTheGuardGoes) {
  {
    const InterruptGuard guard;
    EXPECT_EQ(pending_signal(), 0);
    EXPECT_NO_THROW(throw_if_interrupted());
    std::raise(SIGTERM);
    EXPECT_EQ(pending_signal(), SIGTERM);
    try {
      throw_if_interrupted();
      ADD_FAILURE() << "went on";
    } catch (const Interrupted& interrupted) {
      EXPECT_EQ(interrupted.signal(), SIGTERM);
    }
  }
  EXPECT_EQ(pending_signal(), 0);
}

TEST(InterruptDeathTest, SecondSignalLeavesAtOnceWithItsOwnCode) {
  const auto signal_twice = [](int first, int second) {
    const InterruptGuard guard;
    std::raise(first);
    std::raise(second);
  };
  EXPECT_EXIT(signal_twice(SIGINT, SIGINT), testing::ExitedWithCode(130), "");
  EXPECT_EXIT(signal_twice(SIGINT, SIGTERM), testing::ExitedWithCode(143), "");
}

TEST(Interrupt, GuardRestoresTheHandlers) {
  static int seen = 0;
  const auto handler = [](int signal) { seen = signal; };
  struct sigaction mine = {};
  mine.sa_handler = handler;
  struct sigaction old = {};
  sigaction(SIGINT, &mine, &old);
  { const InterruptGuard guard; }
  std::raise(SIGINT);
  sigaction(SIGINT, &old, nullptr);
  EXPECT_EQ(seen, SIGINT);
}

}  // namespace
}  // namespace crrm
