// Runs of a grid side by side (`crrm bench`): what its tables and plots say, from bench.json alone.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace crrm {

/// One run as bench.json holds it, from its report.
///   model, method, budget, seed, folder   which run it is
///   metric                                name of the metric
///   dense, cut, final                     {metric, macs, params}: on test data where there are
///                                         any, else held out; null where the run has no such stage
///   seconds                               training and measuring
///   error                                 why there are no figures; null where there are
/// @param report  that validate() accepts, of a run that is over
/// @param labels  {model, method, budget, seed, folder}
nlohmann::ordered_json grid_cell(const nlohmann::ordered_json& labels,
                                 const nlohmann::ordered_json& report);
/// The same of a run that failed.
nlohmann::ordered_json failed_cell(const nlohmann::ordered_json& labels, const std::string& error);

/// Over the seeds of each (model, budget, method), in the cells' order:
///   model, budget, method, metric         which runs they are
///   runs, failed                          how many
///   dense                                 metric of the model as it came; null where not known
///   macs, params                          {mean, deviation} of the last stage's, shares of dense
///   cut, final                            {mean, deviation} of the metric; null where none has it
///   seconds                               mean
/// A deviation is that of a sample (n - 1), null of a single run.
nlohmann::ordered_json grid_rows(const nlohmann::ordered_json& cells);

/// One table a model, GitHub-flavoured. @param bench  {cells, rows}
std::string grid_markdown(const nlohmann::ordered_json& bench);

/// A page like a report's: the tables, and for each model the metric against MACs and against
/// parameters, at the cut and at the end.
std::string grid_html(const nlohmann::ordered_json& bench);

}  // namespace crrm
