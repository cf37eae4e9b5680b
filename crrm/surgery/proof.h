// The proof that a cut broke nothing: the smaller network against the whole one with its closed
// units multiplied by zero.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

/// Largest difference of an output that counts as rounding, relative to max(1, largest output).
inline constexpr double kFloatBound = 1e-4;
inline constexpr double kDoubleBound = 1e-9;

/// One comparison of two networks' outputs on the same inputs.
struct Proof {
  std::string what;         ///< which two, such as "masked vs cut"
  double max_abs_diff = 0;  ///< infinite where an output is not a number
  double max_rel_diff = 0;  ///< over max(1, largest output)
  double bound = 0;         ///< what max_abs_diff may be at most
  int64_t inputs = 0;       ///< samples compared
  std::string runtime;      ///< what ran them
  bool ok = false;
};

/// @param expected, found  outputs of the two; the first sets the scale
/// @param relative         bound of the difference over max(1, largest output)
Proof compare(const std::string& what, const std::string& runtime, const Tensors& expected,
              const Tensors& found, double relative);

/// The whole network with the smaller one's parameters in the places that they came from. Elsewhere
/// it keeps its own: where the proof holds, nothing sees them.
/// @param full      the network that `coupling` describes, without gates
/// @param alive     [coupling.size()]: the units that `small` has
/// @throws InternalError where `small` has other extents than these units say.
Graph expand(const Graph& full, const Coupling& coupling, const std::vector<bool>& alive,
             const Graph& small);

/// The masked network against the cut one.
///   float64  what was selected and rewired: of branches that left, both sides have the constants
///            of `small`, which were rounded to float32
///   float32  all of it: `whole` still computes these branches
/// @param whole   the network at its original size, trained as `small` was, with gates
/// @param inputs  [N, ...] float32
std::vector<Proof> prove_cut(const Graph& full, const Coupling& coupling,
                             const std::vector<bool>& alive, const Graph& small, const Graph& whole,
                             const at::Tensor& inputs);

}  // namespace crrm
