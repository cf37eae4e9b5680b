// Intrinsic dimension from angles among neighbours: a second opinion that does not rest on
// distances.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/estimate.h"
#include "crrm/estimators/neighbours.h"

namespace crrm {

/// Expected simplex skewness (ESSa, d = 1): the area that pairs of a point's k nearest neighbours
/// span about their mean, by the product of their lengths, compared with that of random directions;
/// mean over points. Right on flat sets of high dimension, too high on curved ones. Interval:
/// normal, with as many independent neighbourhoods as k goes into the different points, at most one
/// a point. Refuses fewer than 3 neighbours. Marks numbers from fewer than 100 points, above a
/// tenth of (k - 1)^2, which is the most that k neighbours read, and above D, the interval
/// included.
/// @param points      [n, D] that the neighbours are of
/// @param neighbours  of all or some of the points, which are averaged; all of their k are used;
/// scikit-dimension takes 100 Source: Johnsson, Soneson, Fontes, IEEE TPAMI 37, 196 (2015), eq. 6.
Estimate simplex_skewness_dimension(const at::Tensor& points, const Neighbours& neighbours);

/// The mean of |sin| of the angle between two random directions in n dimensions,
/// Gamma(n/2)^2 / (Gamma((n+1)/2) Gamma((n-1)/2)), linear between integers, inverted.
/// @param skewness in [0, 1)
double dimension_of_skewness(double skewness);

/// Skewness of one neighbourhood. @param neighbourhood [k, D] float64
double simplex_skewness(const at::Tensor& neighbourhood);

}  // namespace crrm
