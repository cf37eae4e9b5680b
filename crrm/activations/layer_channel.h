// Through which channel a layer is looked at: what makes I(X;T) finite (estimators/channel.h).
#pragma once

#include <string>
#include <variant>

#include "crrm/estimators/channel.h"

namespace crrm {

/// Noise of the analysis over three decades: a clustering index, for any network.
struct NoiseSweep {};
/// The gates that a crrm run had on the layer.
struct GatesOfRun {};
/// No channel but a kernel, as in older papers (estimators/renyi.h).
struct MatrixRenyi {
  double h = 0;  ///< of Silverman's width
};

using LayerChannel = std::variant<NoiseSweep, GatesOfRun, MatrixRenyi, Channel>;

/// "sweep", "gates", "noise:0.01" and "quantised:256" (inside the model), "post-hoc-noise:0.01",
/// "post-hoc-bins:30" and "matrix-renyi:5". @param option  names the text in errors
/// @throws InputError where it is none of them, with the nearest name, or its number is not
/// positive.
LayerChannel parse_channel(const std::string& text, const std::string& option);

}  // namespace crrm
