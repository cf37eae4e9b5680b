// crrm eval MODEL --data DATA: how good, how large and how fast a network is.
#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/io/onnx.h"
#include "crrm/train/evaluate.h"
#include "crrm/train/verify.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Latency& latency) {
  return {{"runtime", latency.runtime}, {"threads", latency.threads},
          {"batch", latency.batch},     {"median", latency.median_ms},
          {"iqr", latency.iqr_ms},      {"samples", latency.samples}};
}

void print(const Settings& settings, const std::string& part, const Evaluation& evaluation,
           const Cost& cost, size_t bytes, const std::vector<Latency>& latencies) {
  if (settings.json) {
    Json times = Json::array();
    for (const Latency& latency : latencies) times.push_back(json_of(latency));
    const Json result = {{"model", settings.model},
                         {"part", part},
                         {"samples", evaluation.samples},
                         {"accuracy", evaluation.accuracy},
                         {"accuracy_interval", {evaluation.low, evaluation.high}},
                         {"loss_nats", evaluation.loss},
                         {"params", cost.params},
                         {"macs", cost.macs},
                         {"bytes", bytes},
                         {"latency_ms", times}};
    std::cout << result.dump(2) << "\n";
    return;
  }
  std::cout << fmt::format(
      "accuracy    {}  (95 % interval {} to {}; {} {} samples)\nloss        {:.4f} nats\n"
      "parameters  {}\nMACs        {}\nfile size   {}\n",
      format_percent(evaluation.accuracy, 2), format_percent(evaluation.low, 2),
      format_percent(evaluation.high, 2), evaluation.samples, part, evaluation.loss,
      format_count(static_cast<double>(cost.params)), format_count(static_cast<double>(cost.macs)),
      format_bytes(static_cast<double>(bytes)));
  for (const Latency& latency : latencies)
    std::cout << fmt::format("latency     {:.3g} ms  ({}, {} thread{}, batch {})\n",
                             latency.median_ms, latency.runtime, latency.threads,
                             latency.threads == 1 ? "" : "s", latency.batch);
}

int eval(Settings settings, const Invocation&) {
  prepare_machine(settings);
  Graph network = load_model(settings.model);
  const RunData data = load_run_data(settings, describe_inputs(settings, settings.model), &network);
  fit_model(network, settings.model, data.train);
  const bool tested = data.test.size() > 0;
  const Dataset& part = tested ? data.test : data.train;
  Evaluation evaluation;
  naming(settings.model,
         [&] { evaluation = evaluate(network, part, data.normalisation, settings.batch); });
  print(settings, tested ? "test" : "training", evaluation,
        cost(network, {part.inputs.sizes().slice(1).vec()}), onnx_bytes(network).size(),
        latencies(network, proof_inputs(network, data), static_cast<int>(*settings.threads)));
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
