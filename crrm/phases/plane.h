// A point of the information plane: what a layer's activations keep of inputs and labels, through a
// channel that is named.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crrm/estimators/channel.h"

namespace crrm {

/// How activations are looked at. A deterministic network has no I(X;T) worth a plot: it is ln n
/// whatever the network does.
struct PlaneChannel {
  std::string name;                ///< "bins of width 0.1"
  double parameter = 0;            ///< width, deviation, step; 0 for gates
  std::optional<Channel> through;  ///< none: the gates' rate is x, and no activation is looked at

  bool inside() const { return !through || inside_model(*through); }
  std::string quantity() const;  ///< what x is: "I(X;T)", "clustering index (...)", "gate rate"
};

/// Added for the analysis: bins and noise over three decades from `coarsest` down, in the
/// activations' unit.
std::vector<PlaneChannel> post_hoc_sweep(double coarsest);
/// Inside the model: activations in [-1, 1] that are multiples of `step`.
PlaneChannel quantised_channel(double step);
PlaneChannel gate_channel();

struct PlanePoint {
  double x = 0;                                   ///< PlaneChannel::quantity, nats
  double y = 0;                                   ///< what the same tells about the labels, nats
  std::optional<double> x_low = {}, x_high = {};  ///< closed bounds, where the channel is noise
};

/// Samples that noise is looked at with: it costs their square.
inline constexpr int64_t kNoiseSamples = 300;

/// What x cannot exceed with so many samples, nats; infinity for gates.
double ceiling(const PlaneChannel& channel, int64_t samples);

/// @param channel      not gates
/// @param activations  [n, d]; through noise the first kNoiseSamples of them
/// @param labels       [n] int64
/// @throws InternalError where an estimator refuses
PlanePoint plane_point(const PlaneChannel& channel, const at::Tensor& activations,
                       const at::Tensor& labels);

/// x is the gates' rate, y = H(Y) - cross-entropy, not below 0: what the network is known to say
/// about the labels of test data, whatever the layer.
/// @param loss    cross-entropy, nats
/// @param labels  [n] int64
PlanePoint gate_point(double rate, double loss, const at::Tensor& labels);

}  // namespace crrm
