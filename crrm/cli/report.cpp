// crrm report RUN: the page, or a table for a pull request, from report.json alone.
#include <iostream>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
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
  const RunFolder folder(settings.run);
  const Json document = read_report(folder.report());
  const std::string result = settings.markdown ? markdown(document) : folder.page().string() + "\n";
  if (!settings.markdown) write_file(folder.page(), html(document));
  if (!settings.json) {
    std::cout << result;
    return 0;
  }
  const Json printed =
      settings.markdown ? Json{{"markdown", result}} : Json{{"page", folder.page().string()}};
  std::cout << printed.dump(2) << "\n";
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
