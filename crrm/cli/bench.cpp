// crrm bench FILE: a grid of runs, each as compress makes it, and their figures side by side.
#include <iostream>
#include <set>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/version.h"
#include "crrm/cli/config.h"
#include "crrm/cli/grid.h"
#include "crrm/cli/session.h"
#include "crrm/report/grid.h"
#include "crrm/report/schema.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kSomeFailed = 1;

/// The report of a run that is over; null where it is not.
Json finished_report(const RunFolder& folder) {
  if (!fs::exists(folder.report())) return nullptr;
  Json report = Json::parse(read_file(folder.report()), nullptr, /*allow_exceptions=*/false);
  validate(report, folder.report().string());
  return report["partial"] ? Json() : report;
}

/// Whether a run's config.toml spells it in its own way, as it describes inputs.
bool is_respelt(const std::string& option) {
  static const std::set<std::string> names = {"normalise", "label-column", "shape",  "resize",
                                              "crop",      "channels",     "layout", "multiple"};
  return names.contains(option);
}

/// Whether a run chooses a value where nobody says one.
bool is_chosen(const std::string& option) {
  static const std::set<std::string> names = {"pad", "flip", "threads"};
  return names.contains(option);
}

[[noreturn]] void refuse_folder(const RunFolder& folder, const std::string& option,
                                const std::string& expected, const std::string& found) {
  throw InputError(
      {.file = folder.config().string(),
       .place = option,
       .expected = fmt::format("{}, as the grid says", expected),
       .found = found,
       .hint = "the run was made for another grid: remove its folder, or choose another with -o"});
}

/// @throws InputError where the folder holds a run with other options than the cell's.
void require_same_run(const GridCell& cell, const RunFolder& folder) {
  if (!fs::exists(folder.config())) return;
  Settings found;
  read_config(found, cell.command, folder.config());
  const Json before = values(found, cell.command);
  const Json wanted = values(cell.settings, cell.command);
  for (const auto& [name, value] : wanted.items()) {
    if (name == "output" || is_respelt(name) || (before.contains(name) && before[name] == value))
      continue;
    refuse_folder(folder, name, value.dump(),
                  before.contains(name) ? before[name].dump() : "no value");
  }
  for (const auto& [name, value] : before.items())
    if (!wanted.contains(name) && !is_respelt(name) && !is_chosen(name))
      refuse_folder(folder, name, "no value", value.dump());
}

class Bench {
 public:
  Bench(Settings settings, const Invocation& invocation)
      : settings_(std::move(settings)), invocation_{invocation.words, /*prints=*/false} {}

  int run();

 private:
  void open();
  Json result_of(const GridCell& cell);
  int run_cell(const GridCell& cell, const RunFolder& folder);
  Json document() const;
  void write() const;

  Settings settings_;
  Invocation invocation_;
  fs::path output_;
  Json cells_ = Json::array();
};

void Bench::open() {
  output_ = settings_.output.empty() ? fs::path(settings_.grid).stem().string() + "-bench"
                                     : settings_.output;
  output_ = fs::absolute(output_).lexically_normal();
  if (fs::is_directory(output_) && !fs::is_empty(output_) && !fs::exists(output_ / "bench.json"))
    throw InputError({.file = output_.string(),
                      .expected = "a new folder, or that of an earlier crrm bench to go on with",
                      .found = "a folder with other files in it",
                      .hint = "choose another folder with -o"});
}

/// Goes on where the cell's run was stopped, or begins it. @return its exit code
int Bench::run_cell(const GridCell& cell, const RunFolder& folder) {
  if (fs::exists(folder.checkpoint())) return resume_session(folder.path(), settings_, invocation_);
  Settings settings = cell.settings;
  settings.force = true;  // what lies there is from a start without a first checkpoint
  settings.quiet = settings_.quiet;
  settings.verbose = settings_.verbose;
  settings.progress = settings_.progress;
  return run_session(std::move(settings), cell.command, invocation_, /*resumes=*/false);
}

/// @throws Interrupted
Json Bench::result_of(const GridCell& cell) {
  const RunFolder folder(cell.settings.output);
  require_same_run(cell, folder);
  if (const Json report = finished_report(folder); !report.is_null())
    return grid_cell(cell.labels, report);
  try {
    const int code = run_cell(cell, folder);
    if (code > kSignalled) throw Interrupted(code - kSignalled);
  } catch (const InputError& error) {
    return failed_cell(cell.labels, error.what());
  } catch (const GoalError& error) {
    return failed_cell(cell.labels, error.what());
  }
  return grid_cell(cell.labels, finished_report(folder));
}

Json Bench::document() const {
  return {{"schema_version", 1},
          {"crrm", {{"version", kVersion}, {"commit", kCommit}}},
          {"grid", settings_.grid},
          {"cells", cells_},
          {"rows", grid_rows(cells_)}};
}

void Bench::write() const {
  const Json bench = document();
  write_file(output_ / "bench.json", bench.dump(2) + "\n");
  write_file(output_ / "bench.md", grid_markdown(bench));
  write_file(output_ / "bench.html", grid_html(bench));
}

int Bench::run() {
  open();
  const std::vector<GridCell> cells = read_grid(settings_.grid, output_);
  make_folder(output_);
  write();
  bool failed = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    const Json& labels = cells[i].labels;
    if (!settings_.quiet)
      std::cerr << fmt::format("[{}/{}] {}\n", i + 1, cells.size(),
                               labels["folder"].get<std::string>());
    cells_.push_back(result_of(cells[i]));
    failed = failed || !cells_.back()["error"].is_null();
    write();
  }
  std::cout << (settings_.json ? document().dump(2) + "\n" : grid_markdown(document()));
  return failed ? kSomeFailed : 0;
}

int bench(Settings settings, const Invocation& invocation) {
  return Bench(std::move(settings), invocation).run();
}

const CommandRegistration registration({
    .name = "bench",
    .summary = "Compares methods on a grid of models, budgets and seeds",
    .example = "crrm bench bench/demo.json",
    .run = &bench,
});

}  // namespace

}  // namespace crrm::cli
