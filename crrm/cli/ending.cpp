#include "crrm/cli/ending.h"

#include <algorithm>
#include <iostream>

#include "crrm/architectures/weights.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/cli/task.h"
#include "crrm/graph/batch.h"
#include "crrm/report/html.h"
#include "crrm/report/text.h"

namespace crrm::cli {

using Json = nlohmann::ordered_json;

bool Ending::conclude(const Run& run, const RunResult& result, std::vector<std::string> warnings,
                      const std::function<Usage()>& usage) const {
  const Assignment& assignment = given_.assignment;
  const Graph written = as_written(result.stages.back().graph, given_.subject.reversal);
  const at::Tensor inputs = proof_inputs(given_.subject.data, given_.subject.reversal.batch);
  Conclusion conclusion;
  conclusion.warnings = std::move(warnings);
  if (pending_signal() == 0) measure_latencies(written, inputs, conclusion);
  if (assignment.compresses)
    conclusion.goals = goals(assignment, result, written, conclusion.final_latencies);
  const bool met = all_met(conclusion.goals);
  if (met)
    write_model(run, result, written, inputs, conclusion);
  else
    conclusion.warnings.emplace_back("the goal was not met, so no model was written");
  conclusion.usage = usage();
  report(result, conclusion);
  return met;
}

void Ending::measure_latencies(const Graph& written, const at::Tensor& inputs,
                               Conclusion& conclusion) const {
  const Assignment& assignment = given_.assignment;
  given_.say("latency: measuring");
  if (assignment.compresses) {
    Graph dense = given_.subject.dense;
    fix_batch(dense, given_.subject.reversal.batch);
    conclusion.dense_latencies = latencies(dense, inputs, assignment.threads, given_.device);
  }
  conclusion.final_latencies = latencies(written, inputs, assignment.threads, given_.device);
}

void Ending::write_model(const Run& run, const RunResult& result, const Graph& written,
                         const at::Tensor& inputs, Conclusion& conclusion) const {
  const Subject& subject = given_.subject;
  const RunFolder& folder = given_.folder;
  const Graph& final = result.stages.back().graph;
  conclusion.verification =
      write_proved(subject.network, *subject.coupling, result.alive, run.network().whole(final),
                   final, written, inputs, folder.model());
  write_file(folder.description(), description());
  conclusion.files = {folder.model(), folder.description()};
  if (given_.assignment.compresses) return;
  write_weights(final, folder.weights());
  conclusion.files.push_back(folder.weights());
}

/// model.json, so that whoever reads model.onnx prepares inputs as this run did.
std::string Ending::description() const {
  const RunData& data = given_.subject.data;
  Json description = {{"scale", data.normalisation.scale}};
  if (!data.normalisation.mean.empty()) description["mean"] = data.normalisation.mean;
  if (!data.normalisation.std.empty()) description["std"] = data.normalisation.std;
  description["shape"] = given_.subject.sample();
  const InputDescription inputs = describe_inputs(given_.settings, "");
  if (!inputs.resize.empty()) description["resize"] = inputs.resize;
  if (!inputs.crop.empty()) description["crop"] = inputs.crop;
  if (!inputs.channels.empty()) description["channels"] = inputs.channels;
  if (!inputs.layout.empty()) description["layout"] = inputs.layout;
  return description.dump(2) + "\n";
}

void Ending::conclude_early(const Run& run, std::vector<std::string> warnings,
                            const Usage& usage) const {
  RunResult result = run.so_far();
  if (result.stages.empty())
    result.stages.push_back({"dense", given_.subject.dense, {}, std::nullopt});
  Conclusion conclusion;
  const auto built = std::find_if(result.stages.rbegin(), result.stages.rend(),
                                  [](const Stage& stage) { return !stage.graph.nodes.empty(); });
  conclusion.goals =
      goals(given_.assignment, result, as_written(built->graph, given_.subject.reversal), {});
  for (Json& goal : conclusion.goals) goal["met"] = false;
  conclusion.partial = true;
  conclusion.warnings = std::move(warnings);
  conclusion.usage = usage;
  report(result, conclusion);
}

void Ending::report(const RunResult& result, const Conclusion& conclusion) const {
  const Subject& subject = given_.subject;
  const Json report = make_report(given_.assignment, subject.data, subject.network,
                                  *subject.coupling, result, conclusion);
  write_file(given_.folder.report(), report.dump(2) + "\n");
  write_file(given_.folder.page(), html(report));
  if (!given_.prints) return;
  std::cout << (given_.settings.json ? report.dump(2) + "\n" : summary(report)) << std::flush;
}

}  // namespace crrm::cli
