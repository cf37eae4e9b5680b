// A task on all inputs of 12 bits, of the kind that Shwartz-Ziv and Tishby trained on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace crrm {

/// Every input of 12 bits once, with a label.
struct BooleanTask {
  at::Tensor inputs;    ///< [4096, 12] float32, -1 or 1; row i holds the bits of i, lowest first
  at::Tensor labels;    ///< [4096] int64 in {0, 1}, drawn from `positive`
  at::Tensor positive;  ///< [4096] float64: p(y = 1 | x)
};

/// The bits are charges of -1 and 1 at the vertices v_1..v_12 of an icosahedron inscribed in the
/// unit sphere; p(y = 1 | x) = 1 / (1 + exp(-4 (|sum_i x_i v_i|^2 - theta))): whether their dipole
/// is long, which does not change when the sphere is turned. theta = 10.21 lies in the middle of
/// the two values next to the median, so that p(y = 1) = 0.497 and I(X;Y) = 0.992 bits.
/// Shwartz-Ziv and Tishby give their rule in words, and its table may not be passed on: a
/// spherically symmetric function of 12 points with a sigmoid threshold, p(y = 1) about 0.5 and
/// I(X;Y) about 0.99 bits. This is a rule of the same kind, not theirs.
/// Source: Shwartz-Ziv, Tishby, "Opening the black box of deep neural networks via information",
/// 2017, section 3.1.
/// @param seed  the draw of the labels depends on it alone
BooleanTask boolean_task(uint64_t seed);

/// I(X;Y) of the rule for uniform X, nats. @param positive  [N] p(y = 1 | x)
double rule_information(const at::Tensor& positive);

}  // namespace crrm
