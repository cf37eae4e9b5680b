// Networks that the program can build itself, each family a short file of this folder that
// registers itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crrm/architectures/builder.h"

namespace crrm {

/// What the user chose of a network.
struct Outline {
  int64_t classes;
  std::vector<int64_t> widths;  ///< what follows the family's name, each >= 1
};

struct Architecture {
  std::string name;
  bool takes_widths = false;  ///< is named NAME:W,W,...
  bool reconstructs = false;  ///< gives its input back, and has no classes
  Shape smallest = {};        ///< [C, H, W] of the smallest sample, C any; empty: reads any shape
  Shape usual = {};           ///< [C, H, W] of the samples that it was made for; empty: none
  std::function<void(Builder& builder, const Outline& outline)> layers;
};

/// Sorted by name.
const std::vector<Architecture>& architectures();

/// How users name them: "digits", "mlp:W,W,...".
std::vector<std::string> architecture_names();

/// @param name  "resnet20", "mlp:300,100"
/// @throws InputError where it is unknown (with the nearest one), or its widths are missing, not
/// asked for, or no whole numbers in [1, 1e6].
const Architecture& find_architecture(const std::string& name);

/// @param sample   shape of one sample, without the batch axis
/// @param classes  >= 1; a network that reconstructs has none
/// @param seed     the weights depend on it alone
/// @return a network from [N, sample...] to "logits" [N, classes], or to a "reconstruction"
///         [N, sample...]
/// @throws InputError as find_architecture, and where the sample does not fit.
Graph build(const std::string& name, const Shape& sample, int64_t classes, uint64_t seed);

/// A static one of these in a family's source makes `build` know it.
struct ArchitectureRegistration {
  explicit ArchitectureRegistration(Architecture architecture);
};

}  // namespace crrm
