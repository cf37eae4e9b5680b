#include "crrm/report/measured.h"

#include <fmt/format.h>

#include <algorithm>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// Whether the estimates, of one measure, have different values of the detail.
bool differ(const std::vector<const Json*>& estimates, const std::string& detail) {
  return std::any_of(estimates.begin(), estimates.end(), [&](const Json* estimate) {
    return estimate->at("details").value(detail, Json()) !=
           estimates[0]->at("details").value(detail, Json());
  });
}

/// @param same  all of the layer's estimates of its measure
std::string name_among(const Json& estimate, const std::vector<const Json*>& same) {
  const std::string measure = estimate["measure"];
  if (same.size() == 1) return measure;
  for (const auto& [detail, value] : estimate["details"].items())
    if (value.is_number() && differ(same, detail))
      return fmt::format("{} {} {}", measure, detail, value.get<double>());
  return measure;
}

}  // namespace

Measured::Measured(const Json& report) : report_(report), estimates_(report["epochs"].size()) {
  for (size_t epoch = epochs(); epoch-- > 0;)
    for (const Json& layer : report["epochs"][epoch]["layers"]) {
      const auto [place, fresh] = places_.try_emplace(layer["name"], layers_.size());
      if (fresh) layers_.push_back(&layer);
      add(layer, estimates_[epoch][place->second]);
    }
}

void Measured::add(const Json& layer, std::map<std::string, const Json*>& estimates) {
  std::map<std::string, std::vector<const Json*>> same;
  for (const Json& estimate : layer["estimates"]) same[estimate["measure"]].push_back(&estimate);
  for (const Json& estimate : layer["estimates"]) {
    const std::string family = estimate["family"];
    const std::string measure = name_among(estimate, same[estimate["measure"]]);
    if (!measures_.contains(family)) families_.push_back(family);
    std::vector<std::string>& measures = measures_[family];
    if (examples_.emplace(measure, &estimate).second) measures.push_back(measure);
    estimates.emplace(measure, &estimate);
  }
}

std::string Measured::epoch_label(size_t epoch) const {
  const Json& entry = report_["epochs"][epoch];
  return fmt::format("epoch {}, {}", entry["epoch"].get<int64_t>(),
                     entry["name"].get<std::string>());
}

const std::vector<std::string>& Measured::measures(const std::string& family) const {
  return measures_.at(family);
}

const Measured::Json* Measured::find(size_t epoch, size_t layer, const std::string& measure) const {
  const auto place = estimates_[epoch].find(layer);
  if (place == estimates_[epoch].end()) return nullptr;
  const auto estimate = place->second.find(measure);
  return estimate == place->second.end() ? nullptr : estimate->second;
}

}  // namespace crrm
