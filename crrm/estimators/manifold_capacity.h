// Manifold capacity by mean-field theory: how many manifolds a neuron can separate, if each is seen
// on its own, with what radius and dimension.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "crrm/estimators/estimate.h"

namespace crrm {

struct CapacityOptions {
  double kappa = 0;                   ///< the margin, in units of a centre's norm
  int64_t directions = 300;           ///< Gaussian vectors a manifold
  bool remove_shared_centres = true;  ///< see shared_centre_directions
  int64_t project_to = 0;             ///< dimensions of a random projection; 0: none
  uint64_t seed = 0;
};

struct ManifoldCapacity {
  /// alpha, manifolds a dimension: the harmonic mean over manifolds. The interval is that of the
  /// directions drawn, not of the points.
  Estimate capacity;
  Estimate radius;              ///< R_M, in units of the centre's norm: mean over manifolds
  Estimate dimension;           ///< D_M: mean over manifolds
  Estimate centre_correlation;  ///< mean |cosine|, after the shared directions are removed
  at::Tensor capacities, radii, dimensions;  ///< [P] float64; undefined where refused
};

/// The points' global mean is subtracted first. The details of each estimate are P, M, N,
/// directions, kappa, and what was done to the points: capacities compare only at equal ones, since
/// sampled points fill a manifold the less the fewer they are, down to the floor 2 / M of points
/// that nothing relates.
/// @param manifolds [M_i, N] each, of any floating type and device
/// @throws InputError where shapes differ, values are not finite, or an option is out of range
/// Refused: one manifold, a manifold of one point, a centre at the global mean.
/// Source: Chung, Lee, Sompolinsky, Phys. Rev. X 8, 031003 (2018), eq. 16, 17, 28, 29; the steps
/// those of Cohen, Chung, Lee, Sompolinsky, Nature Communications 11, 746 (2020).
ManifoldCapacity manifold_capacity(const std::vector<at::Tensor>& manifolds,
                                   const CapacityOptions& options = {});

}  // namespace crrm
