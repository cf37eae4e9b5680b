// What a network may cost at most.
#pragma once

#include <string>
#include <vector>

#include "crrm/coupling/cost.h"

namespace crrm {

enum class Resource { macs, params, bytes, latency };

int64_t amount(const Cost& cost, Resource resource);
/// As reports call it: "macs", "params", "bytes", "latency".
const char* name(Resource resource);
/// The option that limits it: "--macs", "--params", "--size", "--latency".
const char* option(Resource resource);
/// An amount as people read it: "20.3 M MACs", "1.5 MB", "3.4 ms".
std::string describe(int64_t amount, Resource resource);

struct Limit {
  Resource resource = Resource::macs;
  int64_t most = 0;  ///< MACs a sample, parameters, bytes or nanoseconds
};

/// Whether a network keeps all of them.
bool within(const Cost& cost, const std::vector<Limit>& limits);
/// The limit that is exceeded by the largest factor, or missed by the smallest.
/// @param limits  at least one
const Limit& binding(const Cost& cost, const std::vector<Limit>& limits);

}  // namespace crrm
