// What units cost as they go one after another, where those that stay make up for what they can.
#pragma once

#include <ATen/core/Tensor.h>

namespace crrm {

/// Of the units that are left, the one goes next whose gate, closed, costs least once the gates of
/// the others are where they make up for it best. With F the Fisher information of those gates and
/// a prior of precision `ridge` on their adjustments,
///   2 min_d 1/2 (F + ridge I)[d, d]  with d_c = -1,  less ridge  =  1 / ((F + ridge I)^-1)_cc
///   - ridge.
/// Training in between makes what was adjusted the new network, so for those that are left F stays
/// as it is, without the unit that went. What goes later costs no less.
/// Source: Hassibi, Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon",
/// NeurIPS 1992, equation 5; for gates Kwon et al., "A fast post-training pruning framework for
/// transformers", NeurIPS 2022, section 4.
/// @param information  [n, n] float64, symmetric, positive semidefinite
/// @param ridge        > 0
/// @return [n] float64 >= 0, by unit; ascending in the order in which they go
at::Tensor elimination_costs(const at::Tensor& information, double ridge);

}  // namespace crrm
