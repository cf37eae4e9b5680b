// The checkpoints of a training, one network or set of weights an epoch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace crrm {

struct NetworkFile {
  std::filesystem::path path;
  int64_t epoch = 0;  ///< the last number in its name; where one has none, its place from 0
};

/// The ONNX and safetensors files of a folder, in natural order of their names: epoch-9 is before
/// epoch-10.
/// @throws InputError where there are none, or it is no folder.
std::vector<NetworkFile> checkpoints_in(const std::filesystem::path& folder);

/// The checkpoints of trainings that differ by their seed, one folder each in natural order. A
/// folder with one named `epochs`, as crrm train --keep-epochs writes, has them there.
/// @throws InputError where there are fewer than two such folders, or their epochs differ.
std::vector<std::vector<NetworkFile>> trainings_in(const std::filesystem::path& folder);

/// Whether runs of digits, compared as numbers, and the letters between them put `a` before `b`.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace crrm
