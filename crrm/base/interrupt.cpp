#include "crrm/base/interrupt.h"

#include <unistd.h>

#include <atomic>

#include "crrm/base/error.h"

namespace crrm {

namespace {

// A signal handler can reach nothing but a global.
std::atomic<int> pending{0};
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int signal) {
  int none = 0;
  if (!pending.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

}  // namespace

int pending_signal() {
  return pending.load();
}

void throw_if_interrupted() {
  if (const int signal = pending_signal(); signal != 0) throw Interrupted(signal);
}

InterruptGuard::InterruptGuard() {
  pending = 0;
  struct sigaction action = {};
  action.sa_handler = &handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  pending = 0;
}

}  // namespace crrm
