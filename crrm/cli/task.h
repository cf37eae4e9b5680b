// From options to what the library takes: the model, the data and how inputs are normalised.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crrm/base/error.h"
#include "crrm/cli/options.h"
#include "crrm/train/distillation.h"
#include "crrm/train/run.h"

namespace crrm::cli {

/// LibTorch's threads, after --threads (all processors where it is not given).
/// @return what --device names
/// @throws InputError where the device is not there.
at::Device prepare_machine(Settings& settings);

/// "1x8x8" as {1, 8, 8}; empty for "". @param option  names the text in errors
/// @throws InputError.
Shape parse_shape(const std::string& text, const std::string& option = "--shape");

/// "a,b" as {"a", "b"}; what is empty between commas is left out, and "" has no names.
/// @throws InputError where a text, that of `option`, is of commas alone.
std::vector<std::string> split_names(const std::string& text, const std::string& option);

/// @param place  of the name, for the error
/// @throws InputError with the nearest name where it is none of `known`.
void require_known(const std::string& name, const std::vector<std::string>& known, Fault place);

/// `count` of the samples, of each class in proportion; all where there are fewer.
Dataset some_of(const Dataset& data, int64_t count, int64_t seed);

/// Whether train's ARCH is an ONNX file, to be trained anew, and no architecture.
bool is_network_file(const std::string& architecture);

/// What MODEL.json and the options say of the model's inputs; options win.
InputDescription describe_inputs(const Settings& settings, const std::string& model);

/// The data in train, held-out and test parts, and its normalisation. Of few samples none may be
/// held out.
/// @param network  what reads it; rows of a table take the shape of its input where they fit; null
///                 where the network is still to be built: they take what the architecture is for,
///                 or stay rows where there is none
RunData load_run_data(const Settings& settings, const InputDescription& inputs,
                      const Graph* network);

/// @throws InputError where it has other than one input of numbers.
Graph load_model(const std::string& path);

/// Folds a model's shape arithmetic for samples of the data, and lets it take any number of them.
/// @return how many it takes at once as its file says; 0: any
/// @throws InputError where the samples do not fit, or a batch is not the same as its samples.
int64_t fit_model(Graph& network, const std::string& path, const RunData& data);

/// The measure of agreement with `original`, a network that fit_model was called for.
/// @param logits  names of outputs, with commas between
/// @param device  where `original` computes
std::unique_ptr<Distillation> agreement_with(const Graph& original, const RunData& data,
                                             const std::string& logits, double temperature,
                                             at::Device device);

/// A network with the name that errors give it.
struct NamedNetwork {
  const Graph& graph;
  const std::string& name;
};

/// @throws InputError naming both where outputs differ in number, or in shape for samples [N, ...].
void require_same_outputs(const NamedNetwork& network, const NamedNetwork& measure,
                          const Shape& sample);

/// Names `file` in errors that name none.
void naming(const std::string& file, const std::function<void()>& work);

}  // namespace crrm::cli
