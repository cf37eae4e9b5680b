// Random networks that shrink: a list of genes is read as building steps, so that any sublist and
// any smaller numbers give a valid network again.
#pragma once

#include <cstdint>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm::test {

/// One building step: what is done (modulo the number of steps known), and three choices.
struct Gene {
  unsigned step = 0, a = 0, b = 0, c = 0;
};

/// A network on x [N, 3, 6, 6] with an output of 3 features, and a second one where a gene says so.
/// Weights follow from the position of a gene alone.
Graph random_graph(const std::vector<Gene>& genes);

/// The nodes in order, for people: what RapidCheck prints of a counterexample.
std::string text(const Graph& graph);

}  // namespace crrm::test
