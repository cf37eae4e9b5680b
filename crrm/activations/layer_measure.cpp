#include "crrm/activations/layer_measure.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

std::vector<LayerMeasure>& registry() {
  static std::vector<LayerMeasure> all;
  return all;
}

/// JSON has no infinities.
Json finite(double number) {
  return std::isfinite(number) ? Json(number) : Json();
}

}  // namespace

LayerMeasureRegistration::LayerMeasureRegistration(LayerMeasure measure) {
  std::vector<LayerMeasure>& all = registry();
  const auto place =
      std::lower_bound(all.begin(), all.end(), measure,
                       [](const auto& a, const auto& b) { return a.family < b.family; });
  all.insert(place, std::move(measure));
}

const std::vector<LayerMeasure>& layer_measures() {
  return registry();
}

std::vector<std::string> layer_measure_families() {
  std::vector<std::string> families;
  for (const LayerMeasure& measure : layer_measures()) families.push_back(measure.family);
  return families;
}

int64_t samples_not_finite(const at::Tensor& values) {
  constexpr int64_t kBlock = 64;  // rows: layers are large, and so would a mask of one be
  int64_t count = 0;
  for (const at::Tensor& rows : values.split(kBlock))
    count += at::isfinite(rows).all(1).logical_not().sum().item<int64_t>();
  return count;
}

std::vector<Estimate> estimates_of(const LayerMeasure& measure, const LayerActivations& seen,
                                   int64_t not_finite) {
  if (not_finite == 0) return measure.estimate(seen);
  const int64_t n = seen.values.size(0);
  return {refuse({.measure = measure.family, .samples = n}, Validity::out_of_range,
                 fmt::format("inf or nan in {} of {} samples", not_finite, n))};
}

Json to_json(const std::string& family, const Estimate& estimate) {
  Json details = Json::object();
  for (const auto& [name, number] : estimate.details) details[name] = finite(number);
  const std::optional<Interval>& interval = estimate.interval;
  return {{"family", family},
          {"measure", estimate.measure},
          {"value", estimate.value ? finite(*estimate.value) : Json()},
          {"low", interval ? finite(interval->low) : Json()},
          {"high", interval ? finite(interval->high) : Json()},
          {"unit", estimate.unit},
          {"samples", estimate.samples},
          {"validity", name_of(estimate.validity)},
          {"reason", estimate.reason},
          {"assumptions", estimate.assumptions},
          {"source", estimate.source},
          {"details", details}};
}

}  // namespace crrm
