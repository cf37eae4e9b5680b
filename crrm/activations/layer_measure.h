// The measures of a layer: one file of this folder for each family, which registers itself.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crrm/activations/layer_channel.h"
#include "crrm/activations/layers.h"
#include "crrm/estimators/estimate.h"

namespace crrm {

/// What all measures of a layer look at: the same samples.
struct LayerActivations {
  Layer layer;
  at::Tensor values;   ///< [n, features] float32
  at::Tensor reduced;  ///< [n, at most kMostFeatures]: values, or their random projection
  at::Tensor labels;   ///< [n] int64 in [0, classes); undefined where the data have none
  int64_t classes = 0;
  /// [units] float64 in (0, 1]: distortions of the gates that a crrm run had on this layer, 1 where
  /// closed; undefined where it had none.
  at::Tensor distortion;
  LayerChannel channel = NoiseSweep{};
  uint64_t seed = 0;
};

struct LayerMeasure {
  std::string family;  ///< "dimension"
  std::function<std::vector<Estimate>(const LayerActivations&)> estimate;
};

/// A static one of these in a family's source makes the program know it.
struct LayerMeasureRegistration {
  explicit LayerMeasureRegistration(LayerMeasure measure);
};

/// By family.
const std::vector<LayerMeasure>& layer_measures();
std::vector<std::string> layer_measure_families();

/// Samples with a value that is inf or nan, of which no measure is to be asked.
int64_t samples_not_finite(const at::Tensor& values);

/// What a family gives, or one refusal in its name where samples are not finite: a network that
/// diverged keeps its other layers and checkpoints.
/// @param not_finite  of `samples_not_finite(seen.values)`, once for all families
std::vector<Estimate> estimates_of(const LayerMeasure& measure, const LayerActivations& seen,
                                   int64_t not_finite);

/// An entry of a report's `estimates`.
nlohmann::ordered_json to_json(const std::string& family, const Estimate& estimate);

}  // namespace crrm
