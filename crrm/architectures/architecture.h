// Networks that the program can build itself, each a short file of this folder that registers
// itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crrm/architectures/builder.h"

namespace crrm {

struct Architecture {
  std::string name;
  std::string summary;  ///< one line for `crrm train --help`
  Shape smallest;       ///< [C, H, W] of the smallest sample that it reads; C is any
  Shape usual;          ///< [C, H, W] of the samples that it was made for
  std::function<void(Builder& builder, int64_t classes)> layers;
};

/// Sorted by name.
const std::vector<Architecture>& architectures();

/// The shape that an architecture was made for. @throws InputError as build.
const Shape& usual_sample(const std::string& name);

/// @param sample  shape of one sample, without the batch axis
/// @param seed    the weights depend on it alone
/// @return a network from [N, sample...] to logits [N, classes]
/// @throws InputError where `name` is unknown (with the nearest one) or the sample does not fit.
Graph build(const std::string& name, const Shape& sample, int64_t classes, uint64_t seed);

/// A static one of these in an architecture's source makes `build` know it.
struct ArchitectureRegistration {
  explicit ArchitectureRegistration(Architecture architecture);
};

}  // namespace crrm
