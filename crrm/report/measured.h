// A report of crrm measure, by layer and measure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace crrm {

class Measured {
 public:
  using Json = nlohmann::ordered_json;

  /// Refers to `report`, which has to outlive it.
  explicit Measured(const Json& report);

  size_t epochs() const { return estimates_.size(); }
  std::string epoch_label(size_t epoch) const;

  /// Every layer of any epoch: those of the last in its order, then what earlier ones had besides.
  const std::vector<const Json*>& layers() const { return layers_; }

  /// In the order in which the report has them. Measures that a layer has several of are told
  /// apart by the first detail that differs: "GRIDE n1 4".
  const std::vector<std::string>& families() const { return families_; }
  const std::vector<std::string>& measures(const std::string& family) const;

  /// Null where the epoch has no such layer, or the layer no such estimate.
  const Json* find(size_t epoch, size_t layer, const std::string& measure) const;

  /// Any estimate of the measure: for what all of them share.
  const Json& example(const std::string& measure) const { return *examples_.at(measure); }

 private:
  void add(const Json& layer, std::map<std::string, const Json*>& estimates);

  const Json& report_;
  std::vector<const Json*> layers_;
  std::map<std::string, size_t> places_;  // of layers, by name
  std::vector<std::string> families_;
  std::map<std::string, std::vector<std::string>> measures_;
  std::map<std::string, const Json*> examples_;
  // [epochs], by place of the layer, by measure
  std::vector<std::map<size_t, std::map<std::string, const Json*>>> estimates_;
};

}  // namespace crrm
