// crrm eval MODEL --data DATA: how good, how large and how fast a network is.
#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/graph/batch.h"
#include "crrm/io/onnx.h"
#include "crrm/train/classification.h"
#include "crrm/train/outcome.h"
#include "crrm/train/reconstruction.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// What eval found, before it is printed.
struct Findings {
  std::string metric, part;
  Evaluation evaluation = {};
  Cost cost = {};
  size_t bytes = 0;
  std::vector<Latency> latencies = {};
};

Json to_json(const Settings& settings, const Findings& found) {
  const Evaluation& evaluation = found.evaluation;
  Json times = Json::array();
  for (const Latency& latency : found.latencies) times.push_back(crrm::to_json(latency));
  return {{"model", settings.model},
          {"part", found.part},
          {"samples", evaluation.samples},
          {found.metric, evaluation.metric},
          {found.metric + "_interval", {evaluation.low, evaluation.high}},
          {"loss", evaluation.loss},
          {"outputs", crrm::to_json(evaluation.outputs)},
          {"params", found.cost.params},
          {"macs", found.cost.macs},
          {"bytes", found.bytes},
          {"latency_ms", times}};
}

void print(const Findings& found) {
  const Evaluation& evaluation = found.evaluation;
  std::cout << fmt::format("{:<11} {}  (95 % interval {} to {}; {} {} samples)\n", found.metric,
                           format_percent(evaluation.metric, 2), format_percent(evaluation.low, 2),
                           format_percent(evaluation.high, 2), evaluation.samples, found.part);
  for (const OutputAgreement& output : evaluation.outputs)
    std::cout << fmt::format(
        "error       {}  of \"{}\"{}\n", format_percent(output.relative_error, 2), output.name,
        output.top1 ? fmt::format("; largest entry the same in {}", format_percent(*output.top1, 2))
                    : "");
  std::cout << fmt::format("loss        {:.4f}\nparameters  {}\nMACs        {}\nfile size   {}\n",
                           evaluation.loss, format_count(static_cast<double>(found.cost.params)),
                           format_count(static_cast<double>(found.cost.macs)),
                           format_bytes(static_cast<double>(found.bytes)));
  for (const Latency& latency : found.latencies)
    std::cout << fmt::format("latency     {:.3g} ms  ({}, {} thread{}, batch {})\n",
                             latency.median_ms, latency.runtime, latency.threads,
                             latency.threads == 1 ? "" : "s", latency.batch);
}

std::unique_ptr<const Task> task_of(const Settings& settings, const Graph& network,
                                    const RunData& data, at::Device device) {
  if (settings.task == "reconstruct")
    return std::make_unique<Reconstruction>(
        data.train.inputs.sizes().slice(1).vec(),
        variance_of(data.train, data.normalisation, settings.batch));
  if (settings.task != "classify" && !settings.reference.empty()) {
    Graph original = load_model(settings.reference);
    fit_model(original, settings.reference, data);
    require_same_outputs({network, settings.model}, {original, settings.reference},
                         data.train.inputs.sizes().slice(1).vec());
    return agreement_with(original, data, settings.logits, settings.temperature, device);
  }
  if (settings.task == "distill" || !data.train.labelled())
    throw InputError({.file = settings.data,
                      .expected = "labels, or --reference MODEL to agree with",
                      .found = settings.task == "distill" ? "no reference" : "inputs alone"});
  return std::make_unique<Classification>(data.train.classes, nullptr, LossOptions{});
}

int eval(Settings settings, const Invocation&) {
  const at::Device device = prepare_machine(settings);
  Graph network = load_model(settings.model);
  const RunData data = load_run_data(settings, describe_inputs(settings, settings.model), &network);
  const int64_t batch = fit_model(network, settings.model, data);
  const std::unique_ptr<const Task> task = task_of(settings, network, data, device);
  const bool tested = data.test.size() > 0;
  const Dataset& part = tested ? data.test : data.train;
  Findings found{.metric = task->metric(), .part = tested ? "test" : "training"};
  naming(settings.model, [&] {
    found.evaluation =
        task->evaluate(to(network, device), part, data.normalisation, settings.batch);
  });
  fix_batch(network, batch);
  found.cost = cost(network, {part.inputs.sizes().slice(1).vec()});
  found.bytes = onnx_bytes(network).size();
  found.latencies =
      latencies(network, proof_inputs(data, batch), static_cast<int>(*settings.threads), device);
  if (settings.json)
    std::cout << to_json(settings, found).dump(2) << "\n";
  else
    print(found);
  return 0;
}

const CommandRegistration registration({
    .name = "eval",
    .summary = "Measures a network on the test part of the data",
    .example = "crrm eval demo/digits.onnx --data demo/digits.csv.gz",
    .run = &eval,
});

}  // namespace

}  // namespace crrm::cli
