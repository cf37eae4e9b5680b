// The network of a file as it would be before any training.
#pragma once

#include "crrm/graph/graph.h"

namespace crrm {

/// Gives every learned parameter a fresh value: a weight of two axes or more is drawn from
/// N(0, gain / fan-in), where fan-in is the multiply-accumulates behind one of its reader's
/// outputs, and the gain 2 where a rectifier follows before the next layer, else 1; what scales is
/// 1, what is added 0. BatchNormalization's statistics are those of N(0, 1).
/// @param sample  shapes of one sample of each input
/// @param seed    the draw depends on it alone
/// Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10; where none
/// follows the same argument gives that of LeCun et al., "Efficient backprop", 1998, section 4.6.
void draw_fresh_weights(Graph& graph, const std::vector<Shape>& sample, uint64_t seed);

}  // namespace crrm
