// Matrix-based Renyi entropy, which papers on the information plane use. It is no estimate of
// Shannon's: the kernel's width decides the number. Here for comparison with them.
#pragma once

#include <ATen/core/Tensor.h>

#include "crrm/estimators/estimate.h"

namespace crrm {

/// exp(-|t_i - t_j|^2 / (2 width^2)). @param t [n, d] finite   @param width > 0   @return [n, n]
at::Tensor gaussian_kernel(const at::Tensor& t, double width);

/// Silverman's h n^(-1 / (4 + d)), with h > 0 chosen by the user.
double silverman_width(const at::Tensor& t, double h);

/// S_alpha(A) = ln tr(A^alpha) / (1 - alpha) with A = K / tr K, in [0, ln n].
/// alpha = 2 takes O(n^2), any other the eigenvalues, O(n^3).
/// @param kernel [n, n] symmetric, positive semi-definite   @param alpha > 0, not 1
/// @return nats (the papers' bits times ln 2); `saturated` above 0.8 ln n
/// @throws InputError on another shape or alpha
/// Source: Giraldo, Rao & Principe, IEEE Trans. Inf. Theory 61, 535 (2015), definition 2.
Estimate renyi_entropy(const at::Tensor& kernel, double alpha);

/// S(A) + S(B) - S(A o B), o the product of elements, before A o B is divided by its trace.
/// `saturated` where any of the three is. Source: the same, section IV.
Estimate renyi_information(const at::Tensor& kernel_x, const at::Tensor& kernel_y, double alpha);

}  // namespace crrm
