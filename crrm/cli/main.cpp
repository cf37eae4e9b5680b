// The program: finds the command, runs it, and turns what it throws into an error block and an exit
// code.
#include <ATen/Context.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <limits>

#include "crrm/base/error.h"
#include "crrm/base/version.h"
#include "crrm/cli/command.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

enum ExitCode { kDone = 0, kGoalNotMet = 1, kUsage = 2, kInternal = 70, kWriteFailed = 74 };

constexpr const char* kIntroduction =
    "crrm makes a trained network smaller and proves that nothing was broken.\n"
    "\n"
    "  crrm compress demo/digits.onnx --data demo/digits.csv.gz --macs 50%\n"
    "\n"
    "Commands: {}.\n"
    "crrm COMMAND --help shows the options of one, crrm --version the version.\n";

std::string introduction() {
  std::vector<std::string> names;
  for (const Command& command : commands())
    if (!command.hidden) names.push_back(command.name);
  return fmt::format(fmt::runtime(kIntroduction), fmt::join(names, ", "));
}

std::string version() {
  const std::string commit = kCommit;
  return fmt::format("crrm {}{}\n", kVersion, commit.empty() ? "" : " (" + commit + ")");
}

/// The block, or with --json the same fields as an object, on stderr.
void show(const Fault& fault, bool json) {
  if (!json) {
    std::cerr << "error: " << describe(fault) << "\n";
    return;
  }
  const Json object = {{"error",
                        {{"file", fault.file},
                         {"place", fault.place},
                         {"expected", fault.expected},
                         {"found", fault.found},
                         {"hint", fault.hint}}}};
  std::cerr << object.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

int internal(const std::string& text, const std::string& stack, bool json) {
  show({.file = "crrm",
        .place = "internal error",
        .found = text,
        .hint = "this is a fault of crrm: please report it with the command line, the stack and " +
                version().substr(0, version().size() - 1)},
       json);
  std::cerr << stack << "\n";
  return kInternal;
}

int run(const std::vector<std::string>& words) {
  if (words.size() < 2 || words[1] == "--help" || words[1] == "-h") {
    std::cout << introduction();
    return kDone;
  }
  if (words[1] == "--version") {
    std::cout << version();
    return kDone;
  }
  const Command& command = find_command(words[1]);
  const Settings settings = parse(command, {words.begin() + 2, words.end()});
  if (settings.help) {
    std::cout << help(command);
    return kDone;
  }
  return command.run(settings, {words});
}

int guarded(const std::vector<std::string>& words) {
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
  try {
    return run(words);
  } catch (const InputError& error) {
    show(error.fault(), json);
    return kUsage;
  } catch (const GoalError& error) {
    show(error.fault(), json);
    return kGoalNotMet;
  } catch (const WriteError& error) {
    show(error.fault(), json);
    return kWriteFailed;
  } catch (const Interrupted& error) {
    std::cerr << "interrupted\n";
    return kSignalled + error.signal();
  } catch (const InternalError& error) {
    return internal(error.what(), error.stack(), json);
  } catch (const c10::Error& error) {
    const c10::Backtrace& stack = error.backtrace();
    return internal(error.what_without_backtrace(), stack ? stack->get() : "", json);
  } catch (const std::exception& error) {
    return internal(error.what(), "", json);
  }
}

/// OpenMP's threads spin while they wait. Beside other programs they then take each other's time:
/// with twice as many runnable threads as processors a small network trained 6 to 10 times slower.
/// The library reads this variable before main, so the program starts itself anew with it; where
/// nothing is computed the second start would only take its time (0.3 s, most of it LibTorch's).
void let_threads_sleep(char** argv) {
  constexpr const char* kPolicy = "OMP_WAIT_POLICY";
  if (std::getenv(kPolicy) != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv(kPolicy, "passive", /*overwrite=*/1);
  execv("/proc/self/exe", argv);  // returns only where it failed: slower, but right
}

bool computes(const std::vector<std::string>& words) {
  return words.size() > 1 &&
         std::any_of(commands().begin(), commands().end(), [&](const Command& command) {
           return command.name == words[1] && command.computes;
         });
}

/// Activations are allocated anew at every step. By default glibc gives such blocks back to the
/// system and gets them again page by page, which costs a training step more than its small
/// operators do.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace

}  // namespace crrm::cli

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  if (crrm::cli::computes(words)) crrm::cli::let_threads_sleep(argv);
  crrm::cli::keep_freed_memory();
  at::globalContext().setFlushDenormal(true);
  return crrm::cli::guarded(words);
}
