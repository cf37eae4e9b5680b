// crrm report RUN: the page, or a table for a pull request, from report.json alone.
#include <iostream>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/json.h"
#include "crrm/cli/command.h"
#include "crrm/report/html.h"
#include "crrm/report/markdown.h"
#include "crrm/report/measure_page.h"
#include "crrm/report/measure_schema.h"
#include "crrm/report/phases_page.h"
#include "crrm/report/phases_schema.h"
#include "crrm/report/schema.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// What the document is of: "measure", "phases"; "run" where it does not say, as those of compress,
/// train and resume.
std::string kind_of(const Json& document) {
  const bool says = document.is_object() && document.contains("kind");
  return says && document["kind"].is_string() ? document["kind"].get<std::string>() : "run";
}

Json read_report(const std::filesystem::path& path) {
  Json report = parse_json(read_file(path), path.string());
  const std::string kind = kind_of(report);
  if (kind == "measure")
    validate(report, measure_keys(), path.string());
  else if (kind == "phases")
    validate(report, phases_keys(), path.string());
  else
    validate(report, path.string());
  return report;
}

std::string page_of(const Json& document) {
  const std::string kind = kind_of(document);
  if (kind == "measure") return measure_page(document);
  if (kind == "phases") return phases_page(document);
  return html(document);
}

/// @param path  of the document
std::string table_of(const Json& document, const std::filesystem::path& path) {
  if (kind_of(document) != "run")
    throw InputError({.file = path.string(),
                      .place = "kind",
                      .expected = "the report of a run, for --md",
                      .found = fmt::format("\"{}\"", kind_of(document)),
                      .hint = "without --md its page is made"});
  return markdown(document);
}

int report(const Settings& settings, const Invocation&) {
  const RunFolder folder(settings.run);
  const Json document = read_report(folder.report());
  const std::string result =
      settings.markdown ? table_of(document, folder.report()) : folder.page().string() + "\n";
  if (!settings.markdown) write_file(folder.page(), page_of(document));
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
