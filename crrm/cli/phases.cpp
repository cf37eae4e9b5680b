// crrm phases: the set-ups of the literature on two phases of training, with sweeps, seeds and
// controls.
#include <chrono>
#include <iostream>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/cli/command.h"
#include "crrm/cli/report_head.h"
#include "crrm/cli/task.h"
#include "crrm/phases/information_plane.h"
#include "crrm/report/phases_page.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int kSignalled = 128;
constexpr char kFolder[] = "phases-crrm";

class Phases {
 public:
  Phases(Settings settings, const Invocation& invocation)
      : settings_(std::move(settings)), invocation_(invocation) {}

  int run();

 private:
  std::vector<Setup> setups() const;
  void train(const std::vector<Setup>& setups, const char* list);
  void write(bool partial);
  void print() const;

  Settings settings_;
  const Invocation& invocation_;
  Clock::time_point start_ = Clock::now();
  Json report_;
};

/// Those that SETUPS names, of those that there are. @throws InputError with the nearest name.
std::vector<Setup> Phases::setups() const {
  std::vector<Setup> known = boolean_setups(static_cast<uint64_t>(settings_.seed));
  if (!settings_.data.empty()) {
    const RunData data = load_run_data(settings_, {}, nullptr);
    for (Setup& setup : data_setups(data, settings_.samples)) known.push_back(std::move(setup));
  }
  const std::vector<std::string> asked = split_names(settings_.setups, "SETUPS");
  if (asked.empty()) return known;
  std::vector<Setup> chosen;
  std::vector<std::string> names;
  for (const Setup& setup : known) names.push_back(setup.name);
  for (const std::string& name : asked) {
    require_known(name, names, {.file = "crrm phases", .place = "SETUPS"});
    const auto found = std::find(names.begin(), names.end(), name);
    chosen.push_back(known[static_cast<size_t>(found - names.begin())]);
  }
  return chosen;
}

/// @param list  of the report: "setups" or "controls"
void Phases::train(const std::vector<Setup>& setups, const char* list) {
  for (Setup setup : setups) {
    if (settings_.setup_epochs) setup.epochs = *settings_.setup_epochs;
    const auto progress = [&](int64_t seed) {
      throw_if_interrupted();
      if (!settings_.quiet)
        std::cerr << fmt::format("{}: seed {} of {}\n", setup.name, seed + 1, settings_.seeds);
    };
    report_[list].push_back(
        information_plane(setup, settings_.seeds, static_cast<uint64_t>(settings_.seed), progress));
    write(/*partial=*/true);
  }
}

void Phases::write(bool partial) {
  report_["partial"] = partial;
  report_["seconds"] = {{"total", std::chrono::duration<double>(Clock::now() - start_).count()}};
  const RunFolder folder(settings_.output);
  write_file(folder.report(), report_.dump(1) + "\n");
  write_file(folder.page(), phases_page(report_));
}

void Phases::print() const {
  if (settings_.json) {
    std::cout << report_.dump(2) << "\n";
    return;
  }
  for (const char* list : {"setups", "controls"}) {
    for (const Json& setup : report_[list]) {
      std::cout << fmt::format("{}: {}; accuracy {:.1f}\n  {}\n", setup["name"].get<std::string>(),
                               setup["meaning"].get<std::string>(),
                               100 * setup["accuracy"].back().get<double>(),
                               setup["verdict"]["text"].get<std::string>());
    }
  }
}

int Phases::run() {
  const at::Device device = prepare_machine(settings_);
  if (settings_.output.empty()) settings_.output = kFolder;
  settings_.output = fs::absolute(settings_.output).lexically_normal().string();
  if (!settings_.data.empty())
    settings_.data = fs::absolute(settings_.data).lexically_normal().string();
  const std::vector<Setup> chosen = setups();
  const fs::path report = RunFolder(settings_.output).report();
  if (fs::exists(report) && !settings_.force)
    throw InputError({.file = report.string(),
                      .expected = "a new folder",
                      .found = "the report of an earlier run",
                      .hint = "--force replaces it"});
  fs::create_directories(settings_.output);
  report_ = report_head("phases", "phases", settings_, invocation_, device);
  report_["setups"] = report_["controls"] = Json::array();
  report_["warnings"] = Json::array();
  const InterruptGuard guard;
  try {
    train(chosen, "setups");
    train(control_setups(static_cast<uint64_t>(settings_.seed)), "controls");
  } catch (const Interrupted& interrupted) {
    write(/*partial=*/true);
    print();
    return kSignalled + interrupted.signal();
  }
  write(/*partial=*/false);
  print();
  return 0;
}

int phases(Settings settings, const Invocation& invocation) {
  return Phases(std::move(settings), invocation).run();
}

const CommandRegistration registration({
    .name = "phases",
    .summary = "Trains the classical set-ups and draws their information planes, with controls",
    .example = "crrm phases tanh,relu -o phases",
    .run = &phases,
});

}  // namespace

}  // namespace crrm::cli
