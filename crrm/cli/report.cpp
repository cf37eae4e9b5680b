// crrm report RUN: the page, or a table for a pull request, from report.json alone.
#include "crrm/base/error.h"
#include "crrm/base/file.h"

#include <iostream>

#include "crrm/cli/command.h"
#include "crrm/report/html.h"
#include "crrm/report/markdown.h"
#include "crrm/report/schema.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

Json read_report(const std::filesystem::path& path) {
  try {
    Json report = Json::parse(read_file(path));
    validate(report, path.string());
    return report;
  } catch (const Json::parse_error& error) {
    throw InputError({.file = path.string(),
                      .place = fmt::format("byte {}", error.byte),
                      .expected = "JSON",
                      .found = error.what()});
  }
}

int report(Settings settings, const Invocation&) {
  require(settings, find_command("report"), "run");
  const RunFolder folder(settings.run);
  const Json document = read_report(folder.report());
  if (settings.markdown) {
    std::cout << markdown(document);
    return 0;
  }
  write_file(folder.page(), html(document));
  std::cout << folder.page().string() << "\n";
  return 0;
}

const CommandRegistration registration({
    .name = "report",
    .summary = "Makes a run's report.html anew from its report.json",
    .example = "crrm report digits-crrm",
    .run = &report,
});

}  // namespace

}  // namespace crrm::cli
