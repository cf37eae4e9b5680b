// From options to what the library takes: the model, the data and how inputs are normalised.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "crrm/cli/options.h"
#include "crrm/train/run.h"

namespace crrm::cli {

/// LibTorch's threads, after --threads (all processors where it is not given), and --device.
/// @throws InputError where the device is not there.
void prepare_machine(Settings& settings);

/// "1x8x8" as {1, 8, 8}; empty for "". @throws InputError.
Shape parse_shape(const std::string& text);

/// What MODEL.json and the options say of the model's inputs; options win.
InputDescription describe_inputs(const Settings& settings, const std::string& model);

/// The data in train, held-out and test parts, and its normalisation.
/// @param network  what reads it; rows of a table take the shape of its input where they fit; null
///                 where the network is still to be built: they take what the architecture is for
RunData load_run_data(const Settings& settings, const InputDescription& inputs,
                      const Graph* network);

/// Reads the model and folds its shape arithmetic for samples of the data.
/// @throws InputError where it has other than one input of numbers, or the samples do not fit.
Graph load_model(const std::string& path);
void fit_model(Graph& network, const std::string& path, const Dataset& data);

/// Names `file` in errors that name none.
void naming(const std::string& file, const std::function<void()>& work);

}  // namespace crrm::cli
