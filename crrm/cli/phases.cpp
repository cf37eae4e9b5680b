// crrm phases: the set-ups of the literature on two phases of training, with sweeps, seeds and
// controls.
#include <chrono>
#include <iostream>

#include "crrm/activations/checkpoints.h"
#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/cli/command.h"
#include "crrm/cli/config.h"
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

constexpr char kFolder[] = "phases-crrm";

class Phases {
 public:
  Phases(Settings settings, const Invocation& invocation)
      : settings_(std::move(settings)), invocation_(invocation) {}

  int run();

 private:
  void load();
  std::vector<Setup> known_setups() const;
  Setup checkpoints() const;
  std::vector<Setup> setups() const;
  void require_data(const std::string& name, const std::vector<std::string>& known) const;
  void check_folder() const;
  void train(const std::vector<Setup>& setups, const char* list);
  void write(bool partial);
  void print() const;

  Settings settings_;
  const Invocation& invocation_;
  std::optional<RunData> data_;
  Clock::time_point start_ = Clock::now();
  Json report_;
};

/// @throws InputError where the data have no labels.
void Phases::load() {
  if (settings_.data.empty()) return;
  data_ = load_run_data(settings_, describe_inputs(settings_, ""), nullptr);
  if (!data_->train.labelled())
    throw InputError(
        {.file = settings_.data, .expected = "labels, to train mlp and cnn on", .found = "none"});
}

std::vector<Setup> Phases::known_setups() const {
  std::vector<Setup> known = boolean_setups(static_cast<uint64_t>(settings_.seed));
  if (!data_) return known;
  for (Setup& setup : data_setups(*data_, settings_.samples)) known.push_back(std::move(setup));
  return known;
}

/// Networks are read one at a time, when they are looked at.
Setup Phases::checkpoints() const {
  if (!data_)
    throw InputError({.file = "--data",
                      .expected = "what the networks of --checkpoints were trained on",
                      .found = "none"});
  const std::vector<std::vector<NetworkFile>> trainings = trainings_in(settings_.checkpoints);
  SavedTrainings saved{
      .count = static_cast<int64_t>(trainings.size()), .epochs = {}, .network = {}};
  for (const NetworkFile& file : trainings[0]) saved.epochs.push_back(file.epoch);
  saved.network = [=, this](int64_t training, int64_t epoch) {
    const std::vector<NetworkFile>& files = trainings[static_cast<size_t>(training)];
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const NetworkFile& f) { return f.epoch == epoch; });
    Graph network = load_model(file->path.string());
    fit_model(network, file->path.string(), *data_);
    return network;
  };
  return saved_setup(*data_, settings_.samples, saved);
}

/// @throws InputError where `name` is of a set-up that other data would have.
void Phases::require_data(const std::string& name, const std::vector<std::string>& known) const {
  if (name != "mlp" && name != "cnn") return;
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const bool none = settings_.data.empty();
  throw InputError({.file = none ? "--data" : settings_.data,
                    .expected = none ? fmt::format("data with labels, to train {} on", name)
                                     : fmt::format("images of {0} x {0} or more, to train {1} on",
                                                   kLeastSide, name),
                    .found = none ? "none" : "rows, or smaller images",
                    .hint = none ? "" : "--shape CxHxW makes images of rows"});
}

/// The checkpoints, and those that SETUPS names of those that there are.
/// @throws InputError with the nearest name.
std::vector<Setup> Phases::setups() const {
  const std::vector<Setup> known = known_setups();
  const std::vector<std::string> asked = split_names(settings_.setups, "SETUPS");
  std::vector<Setup> chosen;
  if (!settings_.checkpoints.empty())
    chosen.push_back(checkpoints());
  else if (asked.empty())
    return known;
  std::vector<std::string> names;
  for (const Setup& setup : known) names.push_back(setup.name);
  for (const std::string& name : asked) {
    require_data(name, names);
    require_known(name, names, {.file = "crrm phases", .place = "SETUPS"});
    const auto found = std::find(names.begin(), names.end(), name);
    const auto same = [&](const Setup& setup) { return setup.name == name; };
    if (std::none_of(chosen.begin(), chosen.end(), same))
      chosen.push_back(known[static_cast<size_t>(found - names.begin())]);
  }
  return chosen;
}

void Phases::check_folder() const {
  std::vector<fs::path> inputs;
  for (const std::string& input : {settings_.data, settings_.checkpoints})
    if (!input.empty()) inputs.emplace_back(input);
  const RunFolder folder(settings_.output);
  folder.check(inputs, settings_.force, /*needed=*/0);
  folder.check_command("phases");
}

/// @param list  of the report: "setups" or "controls"
void Phases::train(const std::vector<Setup>& setups, const char* list) {
  for (Setup setup : setups) {
    if (settings_.setup_epochs) setup.epochs = *settings_.setup_epochs;
    const auto progress = [&](int64_t training, int64_t of) {
      throw_if_interrupted();
      if (!settings_.quiet)
        std::cerr << fmt::format("{}: seed {} of {}\n", setup.name, training + 1, of);
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
  write_file(folder.report(), report_.dump(2) + "\n");
  write_file(folder.page(), phases_page(report_));
}

void Phases::print() const {
  if (settings_.json) {
    std::cout << report_.dump(2) << "\n";
    return;
  }
  if (report_["partial"]) std::cout << "Partial: it was interrupted.\n";
  for (const char* list : {"setups", "controls"}) {
    for (const Json& setup : report_[list]) {
      std::cout << fmt::format("{}: {}; test accuracy {}\n  {}\n", setup["name"].get<std::string>(),
                               setup["meaning"].get<std::string>(),
                               format_percent(setup["accuracy"].back()),
                               setup["verdict"]["text"].get<std::string>());
    }
  }
  std::cout << fmt::format("Information planes: {}\n", RunFolder(settings_.output).page().string());
}

int Phases::run() {
  const at::Device device = prepare_machine(settings_);
  if (settings_.output.empty()) settings_.output = kFolder;
  settings_.output = fs::absolute(settings_.output).lexically_normal().string();
  for (std::string* input : {&settings_.data, &settings_.checkpoints})
    if (!input->empty()) *input = fs::absolute(*input).lexically_normal().string();
  check_folder();
  load();
  const std::vector<Setup> chosen = setups();
  const InterruptGuard guard;
  const RunFolder folder(settings_.output);
  make_folder(folder.path());
  write_file(folder.config(), write_config(settings_, "phases"));
  report_ = report_head("phases", "phases", settings_, invocation_, device);
  report_["setups"] = report_["controls"] = Json::array();
  report_["warnings"] = Json::array();
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
