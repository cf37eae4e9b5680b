// crrm advise --data DATA: how wide a bottleneck the data need, and whether to expect one to do.
#include <iostream>

#include "crrm/activations/layer_measure.h"
#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/cli/task.h"
#include "crrm/estimators/bottleneck_advice.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Of the training data, normalised, one row a sample.
at::Tensor some_samples(const Settings& settings) {
  const RunData data = load_run_data(settings, describe_inputs(settings, ""), nullptr);
  const Dataset some = some_of(data.train, settings.samples, settings.seed);
  return take(some, data.normalisation, 0, some.size(), /*channels_last=*/false).inputs.flatten(1);
}

Json to_json(const BottleneckAdvice& advice, const Settings& settings) {
  Json estimates = Json::array();
  for (const Estimate& estimate : advice.estimates)
    estimates.push_back(crrm::to_json("dimension", estimate));
  return {{"data", settings.data},
          {"samples", advice.samples},
          {"seed", settings.seed},
          {"features", advice.features},
          {"estimates", estimates},
          {"width", advice.width ? Json(*advice.width) : Json()},
          {"safe_width", advice.safe_width ? Json(*advice.safe_width) : Json()},
          {"compresses", advice.compresses},
          {"cautions", advice.cautions}};
}

std::string described(const Estimate& estimate) {
  if (estimate.refused()) return fmt::format("{}: refused, {}", estimate.measure, estimate.reason);
  std::string text = fmt::format("{}: {:.1f}", estimate.measure, *estimate.value);
  if (estimate.interval)
    text += fmt::format(" [{:.1f}, {:.1f}]", estimate.interval->low, estimate.interval->high);
  if (estimate.validity != Validity::ok) text += fmt::format(", {}", name_of(estimate.validity));
  return text;
}

/// The nearest scale, the plateau and the second opinions; --json has all scales.
void print(const BottleneckAdvice& advice) {
  std::cout << fmt::format("{} samples of {} features; intrinsic dimension by\n", advice.samples,
                           advice.features);
  constexpr size_t kOthers = 3;
  const size_t others = advice.estimates.size() - kOthers;
  if (others > 0) {
    Estimate nearest = advice.estimates[0];
    nearest.measure += ", nearest neighbours (TwoNN)";
    std::cout << "  " << described(nearest) << "\n";
  }
  for (size_t i = others; i < advice.estimates.size(); ++i)
    std::cout << "  " << described(advice.estimates[i]) << "\n";
  if (advice.width)
    std::cout << fmt::format(
        "bottleneck: {} units are the least that can be enough, {} the safe choice\n",
        *advice.width, *advice.safe_width);
  std::cout << (advice.compresses
                    ? fmt::format(
                          "compression to expect: {:.0f} to {:.0f} features a unit\n",
                          static_cast<double>(advice.features) /
                              static_cast<double>(*advice.safe_width),
                          static_cast<double>(advice.features) / static_cast<double>(*advice.width))
                    : std::string("expect no compression from a narrow bottleneck:\n"));
  for (const std::string& caution : advice.cautions) std::cout << "  " << caution << "\n";
}

int advise(Settings settings, const Invocation&) {
  prepare_machine(settings);
  const BottleneckAdvice advice = advise_bottleneck(some_samples(settings));
  if (settings.json)
    std::cout << to_json(advice, settings).dump(2) << "\n";
  else
    print(advice);
  return 0;
}

const CommandRegistration registration({
    .name = "advise",
    .summary = "Says how wide a bottleneck the data need, from their intrinsic dimension",
    .example = "crrm advise --data demo/digits.csv.gz",
    .run = &advise,
});

}  // namespace

}  // namespace crrm::cli
