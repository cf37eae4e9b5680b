// Ctrl-C and SIGTERM: the first asks the run to stop at its next step, the second leaves at once.
#pragma once

#include <csignal>

namespace crrm {

/// The signal that asked to stop (SIGINT or SIGTERM), or 0.
int pending_signal();

/// @throws Interrupted where a signal is pending.
void throw_if_interrupted();

/// Handles SIGINT and SIGTERM while it lives, and restores the handlers that it found. A second
/// signal ends the process with _exit(128 + signal). One at a time; the newest starts unsignalled.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_interrupt_ = {};
  struct sigaction old_terminate_ = {};
};

}  // namespace crrm
