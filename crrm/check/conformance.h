// Whether shrinking a network is exact: every unit's removal against its masking, in crrm and in
// ONNX Runtime.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"

namespace crrm {

struct ConformanceOptions {
  int subsets = 20;  ///< random ones; single units and extremes come on top
  uint64_t seed = 0;
};

/// What one network showed.
struct Conformance {
  std::string name;
  int units = 0;
  std::optional<int> least;        ///< what patterns.json beside the network asks for
  std::vector<FrozenAxis> frozen;  ///< what stays whole, and why
  int subsets = 0;                 ///< tried
  double largest_difference = 0;   ///< relative to max(1, largest output)
  std::vector<std::string> failures;
  double seconds = 0;

  bool ok() const { return failures.empty(); }
};

/// Largest difference that counts as rounding in float32, relative to max(1, largest output).
inline constexpr double kConformanceBound = 1e-5;

/// For many subsets of units: the masked network (full size, explicit zero factors) against the cut
/// one at two batch sizes, the cut one against its file read back and against ONNX Runtime, names,
/// types and shapes of inputs and outputs, and the physical size of every member. With nothing
/// removed, also the outputs in MODEL.npz, where it exists.
/// A fault of the network or of crrm is a failure in the result.
Conformance check_conformance(const std::filesystem::path& model,
                              const ConformanceOptions& options);

/// The ONNX files of a folder, or the file itself, checked one after the other.
/// @throws InputError where there are none.
std::vector<std::filesystem::path> conformance_models(const std::filesystem::path& path);

}  // namespace crrm
