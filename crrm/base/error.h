// The two kinds of fault, and what else ends a run early. The program's exit codes follow from the
// type: InputError 2, GoalError 1, WriteError 74, InternalError 70 (docs/cli.md).
#pragma once

#include <c10/util/Backtrace.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace crrm {

/// What an error block shows. Empty fields are left out.
struct Fault {
  std::string file = {};   ///< path of the file, or the option, that is at fault
  std::string place = {};  ///< node, row, byte offset, key, ...
  std::string expected = {};
  std::string found = {};
  std::string hint = {};  ///< what to do about it
};

/// "error: FILE: PLACE\n  expected  ...\n  found     ...\n  hint      ..."
std::string describe(const Fault& fault);

class FaultError : public std::runtime_error {
 public:
  explicit FaultError(Fault fault)
      : std::runtime_error(describe(fault)), fault_(std::move(fault)) {}
  const Fault& fault() const { return fault_; }

 private:
  Fault fault_;
};

/// The user's input or usage is at fault: exit code 2.
class InputError final : public FaultError {
  using FaultError::FaultError;
};

/// The run worked but its goal was not met: exit code 1.
class GoalError final : public FaultError {
  using FaultError::FaultError;
};

/// A file could not be written: exit code 74.
class WriteError final : public FaultError {
  using FaultError::FaultError;
};

/// Our own fault: exit code 70. Remembers where it was made.
class InternalError final : public std::logic_error {
 public:
  explicit InternalError(const std::string& what)
      : std::logic_error(what), stack_(c10::get_lazy_backtrace(/*frames_to_skip=*/1)) {}
  const std::string& stack() const { return stack_->get(); }  ///< one frame a line

 private:
  c10::Backtrace stack_;
};

/// The user or the system asked to stop (SIGINT 2, SIGTERM 15): exit code 128 + signal.
class Interrupted final : public std::runtime_error {
 public:
  explicit Interrupted(int signal) : std::runtime_error("interrupted"), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// The candidate nearest to `word` in edit distance; empty when none is within half its length.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

/// "did you mean NEAREST?", or "known: a, b, c" when nothing is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace crrm
