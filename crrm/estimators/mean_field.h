// Mean-field theory of one manifold in its own frame, and the two shapes that it solves in closed
// form.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace crrm {

/// A mean over Gaussian directions with its standard error.
struct DirectionMean {
  double value = 0, error = 0;
};

struct ManifoldGeometry {
  DirectionMean inverse_capacity;  ///< E_t F(t), eq. 16, 17
  DirectionMean radius;            ///< R_M, eq. 28, in units of the centre's norm
  DirectionMean dimension;         ///< D_M, eq. 29
  double violation = 0;            ///< of the projections, see ConeProjection
};

/// The points' coordinates [M, D] about their mean in the D axes that they span, D <= M - 1,
/// divided by the norm of the mean. The direction of the mean is an axis of its own in the theory,
/// whether or not the points spread along it.
/// @param points [M, N] float64
at::Tensor own_frame(const at::Tensor& points);

/// F(t) = min |v - t|^2 over v . (s, 1) >= kappa for all points s, with t ~ N(0, I_{D+1}).
/// @param frame      [M, D] float64, as of `own_frame`
/// @param kappa      >= 0, the margin in units of the centre's norm
/// @param directions > 1
/// Source: Chung, Lee, Sompolinsky, Phys. Rev. X 8, 031003 (2018).
ManifoldGeometry mean_field_geometry(const at::Tensor& frame, double kappa, int64_t directions,
                                     at::Generator generator);

/// alpha of points, 1 / int_{-kappa}^inf Dt (t + kappa)^2; 2 at kappa = 0.
/// Source: Gardner, J. Phys. A 21, 257 (1988).
double point_capacity(double kappa);

/// alpha of balls of `dimension` D and radius R, in units of the centre's norm, by quadrature; at
/// kappa = 0 and R = 1 it is 2 / (D + 1).
/// @param radius > 0
/// @param dimension >= 1
/// Source: the projection onto the ball's cone in Chung, Lee, Sompolinsky (2018), section V.
double ball_capacity(double radius, int64_t dimension, double kappa);

}  // namespace crrm
