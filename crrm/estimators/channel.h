// What makes a layer's I(X;T) finite: noise or rounding inside the model, or added for the
// analysis. Through the latter the number is no information of the network, and its name says so.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <variant>

#include "crrm/estimators/binned_entropy.h"
#include "crrm/estimators/estimate.h"
#include "crrm/estimators/noisy_channel.h"

namespace crrm {

/// The model adds normal noise of this variance to every unit, in training and in use.
struct NoiseInModel {
  double variance = 0;
};

/// The model's gates add normal noise of their own to each unit.
struct Gates {
  at::Tensor variance;  ///< [d] > 0; infinite where a gate is closed
};

/// The model rounds its activations; no unit takes more than `levels` values.
struct QuantisedInModel {
  int64_t levels = 0;
};

struct PostHocNoise {
  double variance = 0;
};

struct PostHocBins {
  Bins bins;
};

using Channel = std::variant<NoiseInModel, Gates, QuantisedInModel, PostHocNoise, PostHocBins>;

bool inside_model(const Channel& channel);

/// "I(X;T)" inside the model, else "clustering index (noise sigma^2 = 0.1)" or
/// "clustering index (30 bins)".
std::string quantity(const Channel& channel);

/// What T says about X, which takes the n samples with equal probability: `noisy_channel` with its
/// bounds as details "lower_bound", "upper_bound"; the entropy of rounded or binned rows.
/// Refuses `QuantisedInModel` (out of range) where a unit takes more values than it says.
/// @param t [n, d]: the layer before noise or bins, after rounding inside the model
/// @throws InputError where the channel's parameters are out of range or of another size
Estimate information_through(const Channel& channel, const at::Tensor& t,
                             const NoiseDraws& draws = {});

/// What T says about the labels: "I(T;Y)" inside the model, else "clustering index of the labels
/// (...)". @param labels [n] int64
Estimate label_information_through(const Channel& channel, const at::Tensor& t,
                                   const at::Tensor& labels, const NoiseDraws& draws = {});

}  // namespace crrm
