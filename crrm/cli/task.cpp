#include "crrm/cli/task.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <thread>

#include "crrm/architectures/architecture.h"
#include "crrm/base/error.h"
#include "crrm/coupling/cost.h"
#include "crrm/data/split.h"
#include "crrm/graph/batch.h"
#include "crrm/graph/shapes.h"
#include "crrm/io/onnx.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/proof.h"
#include "crrm/train/machine.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;

/// Extents of one sample as the network's file states them; empty where one is dynamic.
Shape stated_sample(const Graph& network) {
  const Shape& shape = network.inputs[0].shape;
  if (shape.empty()) return {};
  const Shape sample(shape.begin() + 1, shape.end());
  const bool dynamic = std::any_of(sample.begin(), sample.end(), [](int64_t e) { return e <= 0; });
  return dynamic ? Shape{} : sample;
}

int64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// "256" or "240x320".
Shape parse_size(const std::string& text, const std::string& option) {
  Shape size = parse_shape(text, option);
  if (size.size() > 2)
    throw InputError({.file = option,
                      .expected = "a side as 256, or height and width as 240x320",
                      .found = text});
  return size;
}

/// What a network says of several samples at once is what it says of each alone.
void require_independent_samples(const Graph& network, const RunData& data) {
  const at::NoGradGuard no_grad;
  constexpr int64_t kSamples = 3;
  const int64_t count = std::min(kSamples, data.train.size());
  const at::Tensor inputs = take(data.train, data.normalisation, 0, count, false).inputs;
  const Executor executor(network);
  const Tensors together = executor.run({inputs});
  for (int64_t n = 0; n < count; ++n) {
    Tensors own;
    for (const at::Tensor& output : together) own.push_back(output.narrow(0, n, 1));
    if (difference(own, executor.run({inputs.narrow(0, n, 1)})).relative <= kFloatBound) continue;
    throw InputError({.place = fmt::format("inputs \"{}\"", network.inputs[0].name),
                      .expected = "outputs of several samples that are those of each alone",
                      .found = fmt::format("others for sample {} of {}", n, count),
                      .hint = "the file is made for a fixed number of samples: export it with a "
                              "dynamic batch"});
  }
}

/// Rows of a table take the shape `sample` where it has as many values.
void shape_rows(Splits& splits, const Shape& sample) {
  if (sample.size() < 2 || splits.train.inputs.dim() != 2 ||
      product(sample) != splits.train.inputs.size(1))
    return;
  for (Dataset* part : {&splits.train, &splits.test}) {
    if (part->size() == 0) continue;
    Shape whole = {part->size()};
    whole.insert(whole.end(), sample.begin(), sample.end());
    part->inputs = part->inputs.reshape(whole);
  }
}

Normalisation normalisation_of(const Settings& settings, const InputDescription& inputs,
                               const Dataset& data) {
  if (!settings.normalise.empty()) return parse_normalisation(settings.normalise, "--normalise");
  return inputs.normalisation ? *inputs.normalisation : default_normalisation(data);
}

}  // namespace

at::Device prepare_machine(Settings& settings) {
  if (!settings.threads) settings.threads = std::max(1U, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(*settings.threads));
  at::globalContext().setDeterministicCuDNN(true);
  return find_device(settings.device);
}

Shape parse_shape(const std::string& text, const std::string& option) {
  Shape shape;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    const std::string part = text.substr(at, end - at);
    constexpr size_t kDigits = 9;
    const bool number = !part.empty() && part.size() <= kDigits &&
                        part.find_first_not_of("0123456789") == std::string::npos;
    if (!number || std::stoll(part) == 0 || end + 1 == text.size())
      throw InputError({.file = option, .expected = "extents as 1x8x8", .found = text});
    shape.push_back(std::stoll(part));
    at = end + 1;
  }
  return shape;
}

std::vector<std::string> split_names(const std::string& text, const std::string& option) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    if (end > at) names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (!text.empty() && names.empty())
    throw InputError({.file = option,
                      .expected = "names with commas between",
                      .found = fmt::format("\"{}\"", text)});
  return names;
}

Dataset some_of(const Dataset& data, int64_t count, int64_t seed) {
  if (count >= data.size()) return data;
  const double share = static_cast<double>(count) / static_cast<double>(data.size());
  return split_held_out(data, share, static_cast<uint64_t>(seed)).held_out;
}

void require_known(const std::string& name, const std::vector<std::string>& known, Fault place) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  place.expected = fmt::format("one of {}", fmt::join(known, ", "));
  place.found = fmt::format("\"{}\"", name);
  place.hint = suggestion(name, known);
  throw InputError(place);
}

bool is_network_file(const std::string& architecture) {
  return fs::path(architecture).extension() == ".onnx";
}

InputDescription describe_inputs(const Settings& settings, const std::string& model) {
  InputDescription inputs;
  const fs::path file = description_path(model);
  if (!model.empty() && fs::exists(file)) inputs = read_description(file);
  if (!settings.label_column.empty()) inputs.label_column = settings.label_column;
  if (!settings.shape.empty()) inputs.shape = parse_shape(settings.shape);
  if (!settings.resize.empty()) inputs.resize = parse_size(settings.resize, "--resize");
  if (!settings.crop.empty()) inputs.crop = parse_size(settings.crop, "--crop");
  if (!settings.channels.empty()) inputs.channels = settings.channels;
  if (!settings.layout.empty()) inputs.layout = settings.layout;
  return inputs;
}

RunData load_run_data(const Settings& settings, const InputDescription& inputs,
                      const Graph* network) {
  // The test part does not depend on --seed: a network trained with one seed may be compressed with
  // another, and must not have seen its test data.
  DataOptions options{.label_column = inputs.label_column,
                      .shape = inputs.shape,
                      .resize = inputs.resize,
                      .crop = inputs.crop};
  if (!inputs.channels.empty()) options.channels = inputs.channels;
  if (!inputs.layout.empty()) options.layout = inputs.layout;
  Splits splits = load_data(settings.data, options);
  if (inputs.shape.empty())
    shape_rows(splits, network != nullptr ? stated_sample(*network)
                       : settings.architecture.empty()
                           ? Shape()
                           : find_architecture(settings.architecture).usual);
  const Normalisation normalisation = normalisation_of(settings, inputs, splits.train);
  check_normalisation(normalisation, splits.train);
  HeldOutSplit split =
      split_held_out(splits.train, settings.held_out, static_cast<uint64_t>(settings.seed));
  return {std::move(split.train), std::move(split.held_out), std::move(splits.test), normalisation};
}

Graph load_model(const std::string& path) {
  Graph network = read_onnx(path);
  if (network.inputs.size() != 1 || network.inputs[0].type != at::kFloat || network.outputs.empty())
    throw InputError(
        {.file = path,
         .place = "inputs",
         .expected = "one input of float32",
         .found = fmt::format(
             "{} inputs{}", network.inputs.size(),
             network.inputs.empty()
                 ? ""
                 : fmt::format(", the first of type {}", c10::toString(network.inputs[0].type)))});
  return network;
}

int64_t fit_model(Graph& network, const std::string& path, const RunData& data) {
  const Shape& stated = network.inputs[0].shape;  // [N, ...]
  const Shape sample = data.train.inputs.sizes().slice(1).vec();
  bool fits = stated.size() == sample.size() + 1;
  for (size_t a = 0; fits && a < sample.size(); ++a)
    fits = stated[a + 1] <= 0 || stated[a + 1] == sample[a];
  if (!fits)
    throw InputError(
        {.file = path,
         .place = fmt::format("input \"{}\"", network.inputs[0].name),
         .expected = fmt::format("samples [{}], as the data hold", fmt::join(sample, ", ")),
         .found = fmt::format("[{}] with the batch", fmt::join(stated, ", ")),
         .hint = "--shape CxHxW tells the shape of a table's rows, --resize and --crop that of "
                 "images"});
  int64_t batch = 0;
  naming(path, [&] {
    batch = free_batch(network, {sample});
    fold_shape_arithmetic(network, {sample});
    if (batch > 0) require_independent_samples(network, data);
  });
  return batch;
}

std::unique_ptr<Distillation> agreement_with(const Graph& original, const RunData& data,
                                             const std::string& logits, double temperature,
                                             at::Device device) {
  constexpr int64_t kSamples = 128;
  std::vector<std::string> names;
  for (const Port& output : original.outputs) names.push_back(output.name);
  const int64_t count = std::min(kSamples, data.train.size());
  return std::make_unique<Distillation>(
      std::make_unique<Teacher>(original, device), names, split_names(logits, "--logits"),
      take(data.train, data.normalisation, 0, count, /*channels_last=*/true).inputs, temperature);
}

void require_same_outputs(const NamedNetwork& network, const NamedNetwork& measure,
                          const Shape& sample) {
  const Graph &own = network.graph, &wanted = measure.graph;
  if (own.outputs.size() != wanted.outputs.size())
    throw InputError({.file = network.name,
                      .place = "outputs",
                      .expected = fmt::format("{}, as {} has", wanted.outputs.size(), measure.name),
                      .found = fmt::format("{}", own.outputs.size())});
  const ShapeTable shapes = infer_shapes(own, input_shapes(own, kCouplingBatch, {sample}));
  const ShapeTable expected = infer_shapes(wanted, input_shapes(wanted, kCouplingBatch, {sample}));
  for (size_t i = 0; i < own.outputs.size(); ++i) {
    const auto text = [](const Shape& shape) {
      return fmt::format("[N, {}]", fmt::join(shape.begin() + 1, shape.end(), ", "));
    };
    const std::string &name = own.outputs[i].name, &other = wanted.outputs[i].name;
    if (!shapes.knows(name) || !expected.knows(other) || shapes.at(name) == expected.at(other))
      continue;
    throw InputError(
        {.file = network.name,
         .place = fmt::format("output \"{}\"", name),
         .expected = fmt::format("{}, as {} gives", text(expected.at(other)), measure.name),
         .found = text(shapes.at(name))});
  }
}

void naming(const std::string& file, const std::function<void()>& work) {
  const auto named = [&](Fault fault) {
    if (fault.file.empty()) fault.file = file;
    return fault;
  };
  try {
    work();
  } catch (const InputError& error) {
    throw InputError(named(error.fault()));
  } catch (const GoalError& error) {
    throw GoalError(named(error.fault()));
  }
}

}  // namespace crrm::cli
