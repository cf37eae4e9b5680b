// The gates of a compress run, layer by layer, from its folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "crrm/train/run.h"

namespace crrm::cli {

/// Whether a compress run wrote the model: its checkpoint lies beside.
bool is_of_compress_run(const std::filesystem::path& model);

/// By value of the network, the distortions of the gates on its units, [units] float64 in (0, 1],
/// as the run's checkpoint has them; values without units are left out.
/// @param model  RUN/model.onnx
/// @param data   on which batch normalisation is put back where the run did so
/// @throws InputError where the network that was compressed is gone or has changed, or the
/// checkpoint is damaged.
std::map<std::string, at::Tensor> run_gates(const std::filesystem::path& model,
                                            const RunData& data);

}  // namespace crrm::cli
