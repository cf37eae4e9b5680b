// crrm measure MODEL --data DATA: dimension, capacity, information, spectrum and gate rates of each
// layer, on the same samples.
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "crrm/activations/capture.h"
#include "crrm/activations/checkpoints.h"
#include "crrm/activations/layer_measure.h"
#include "crrm/activations/projection.h"
#include "crrm/architectures/weights.h"
#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/progress.h"
#include "crrm/cli/command.h"
#include "crrm/cli/config.h"
#include "crrm/cli/report_head.h"
#include "crrm/cli/run_gates.h"
#include "crrm/cli/task.h"
#include "crrm/report/comparison.h"
#include "crrm/report/measure_page.h"
#include "crrm/report/measure_schema.h"
#include "crrm/report/measure_text.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Those that --measures names. @throws InputError with the nearest name.
std::vector<const LayerMeasure*> chosen_measures(const std::string& text) {
  const std::vector<std::string> asked = split_names(text, "--measures");
  for (const std::string& name : asked)
    require_known(name, layer_measure_families(), {.file = "--measures"});
  std::vector<const LayerMeasure*> chosen;
  for (const LayerMeasure& measure : layer_measures())
    if (asked.empty() || std::find(asked.begin(), asked.end(), measure.family) != asked.end())
      chosen.push_back(&measure);
  return chosen;
}

class Measurement {
 public:
  Measurement(Settings settings, const Invocation& invocation)
      : settings_(std::move(settings)), invocation_(invocation) {}

  int run();

 private:
  void load();
  void load_gates();
  std::vector<Layer> layers_of(const Graph& network) const;
  Graph network_of(const NetworkFile& file) const;
  CaptureOptions capture_options() const;
  int dry_run() const;
  void check_folder() const;
  void measure_all(Progress& progress);
  void measure_network(const Graph& network, Json& layers, Progress& progress);
  Json measure_layer(const Layer& layer, const at::Tensor& activations, Progress& progress);
  void advance(const Layer& layer, const std::string& doing, Progress& progress);
  int conclude(int signal);

  Settings settings_;
  const Invocation& invocation_;
  at::Device device_ = at::kCPU;
  Graph network_;
  RunData data_;
  Dataset samples_;
  std::vector<const LayerMeasure*> measures_;
  LayerChannel channel_;
  std::vector<NetworkFile> files_;           ///< checkpoints, or the model alone
  std::map<std::string, at::Tensor> gates_;  ///< by value: LayerActivations::distortion
  Clock::time_point start_ = Clock::now();
  Json report_;
  std::map<std::string, double> seconds_;
  double done_ = 0, work_ = 0;  ///< in features of layers, times measures
};

void Measurement::load() {
  device_ = prepare_machine(settings_);
  measures_ = chosen_measures(settings_.measures);
  channel_ = parse_channel(settings_.channel, "--channel");
  network_ = load_model(settings_.model);
  const InputDescription inputs = describe_inputs(settings_, settings_.model);
  data_ = load_run_data(settings_, inputs, &network_);
  fit_model(network_, settings_.model, data_);
  const Dataset& part = data_.test.size() > 0 ? data_.test : data_.train;
  samples_ = some_of(part, settings_.samples, settings_.seed);
  if (settings_.checkpoints.empty())
    files_ = {{settings_.model, 0}};
  else
    files_ = checkpoints_in(settings_.checkpoints);
  load_gates();
}

/// Of the compress run that MODEL is from, as it ended: of no other checkpoint.
void Measurement::load_gates() {
  const std::vector<std::string> asked = split_names(settings_.measures, "--measures");
  const bool named = std::find(asked.begin(), asked.end(), "rates") != asked.end() ||
                     std::holds_alternative<GatesOfRun>(channel_);
  if (!asked.empty() && !named) return;
  if (!settings_.checkpoints.empty()) {
    if (!named) return;
    throw InputError({.file = "--checkpoints",
                      .expected = "measures that every checkpoint has",
                      .found = "gates, which are of MODEL alone",
                      .hint = "measure MODEL without --checkpoints"});
  }
  if (is_of_compress_run(settings_.model)) {
    gates_ = run_gates(settings_.model, data_);
  } else if (named) {
    throw InputError({.file = settings_.model,
                      .place = "gates",
                      .expected = "the model.onnx of a compress run, with its checkpoint beside",
                      .found = "a network without gates"});
  }
}

std::vector<Layer> Measurement::layers_of(const Graph& network) const {
  std::vector<Layer> layers;
  naming(settings_.model, [&] {
    const Shape sample = samples_.inputs.sizes().slice(1).vec();
    layers = settings_.layers.empty()
                 ? usual_layers(network, sample)
                 : find_layers(network, sample, split_names(settings_.layers, "--layers"));
  });
  return layers;
}

Graph Measurement::network_of(const NetworkFile& file) const {
  if (settings_.checkpoints.empty()) return network_;
  if (file.path.extension() == ".onnx") {
    Graph network = load_model(file.path);
    fit_model(network, file.path, data_);
    return network;
  }
  Graph network = clone(network_);
  set_weights(network, read_weights(file.path), file.path);
  return network;
}

CaptureOptions Measurement::capture_options() const {
  const Amount memory = parse_amount(settings_.memory, "--memory", {Amount::Unit::bytes});
  return {.batch = settings_.batch,
          .memory = static_cast<int64_t>(memory.value),
          .spill = {},
          .device = device_};
}

int Measurement::dry_run() const {
  const std::vector<Layer> layers = layers_of(network_);
  const CaptureOptions options = capture_options();
  const size_t passes = plan_passes(layers, samples_.size(), options.memory).size();
  Json listed = Json::array();
  for (const Layer& layer : layers)
    listed.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"shape", layer.shape},
                      {"features", layer.features}});
  if (settings_.json) {
    std::cout << Json{{"samples", samples_.size()}, {"passes", passes}, {"layers", listed}}.dump(2)
              << "\n";
    return 0;
  }
  for (const Layer& layer : layers)
    std::cout << fmt::format("{}  {} [{}], {} features\n", layer.name, layer.op,
                             fmt::join(layer.shape, ", "), layer.features);
  std::cout << fmt::format("{} samples, {} layers, {} pass{} of at most {}. Nothing was written.\n",
                           samples_.size(), layers.size(), passes, passes == 1 ? "" : "es",
                           format_bytes(static_cast<double>(options.memory)));
  return 0;
}

void Measurement::check_folder() const {
  std::vector<fs::path> inputs = {settings_.data, settings_.model};
  if (!settings_.checkpoints.empty()) inputs.emplace_back(settings_.checkpoints);
  const RunFolder folder(settings_.output);
  folder.check(inputs, settings_.force, /*needed=*/0);
  folder.check_command("measure");
}

void Measurement::advance(const Layer& layer, const std::string& doing, Progress& progress) {
  ProgressState state{.phase = doing,
                      .phase_index = static_cast<int>(report_["epochs"].size()),
                      .phases = static_cast<int>(files_.size()),
                      .fraction = work_ > 0 ? std::min(1.0, done_ / work_) : 0,
                      .metric = layer.name,
                      .cost = ""};
  progress.update(state);
}

/// What a layer takes, about: samples are compared in so many features.
double work_of(const Layer& layer) {
  constexpr int64_t kBesides = 500;
  return static_cast<double>(std::min(layer.features, kMostFeatures) + kBesides);
}

Json Measurement::measure_layer(const Layer& layer, const at::Tensor& activations,
                                Progress& progress) {
  const auto gate = gates_.find(layer.name);
  const LayerActivations seen{
      .layer = layer,
      .values = activations,
      .reduced = project(activations, kMostFeatures, static_cast<uint64_t>(settings_.seed)),
      .labels = samples_.labels,
      .classes = samples_.classes,
      .distortion = gate == gates_.end() ? at::Tensor() : gate->second,
      .channel = channel_,
      .seed = static_cast<uint64_t>(settings_.seed)};
  const int64_t not_finite = samples_not_finite(activations);
  Json estimates = Json::array();
  for (const LayerMeasure* measure : measures_) {
    throw_if_interrupted();
    advance(layer, measure->family, progress);
    const Clock::time_point begin = Clock::now();
    for (const Estimate& estimate : estimates_of(*measure, seen, not_finite))
      estimates.push_back(to_json(measure->family, estimate));
    seconds_[measure->family] += seconds_since(begin);
    done_ += work_of(layer) / static_cast<double>(measures_.size());
  }
  return {{"name", layer.name},
          {"op", layer.op},
          {"shape", layer.shape},
          {"features", layer.features},
          {"projected", layer.features > kMostFeatures ? Json(kMostFeatures) : Json()},
          {"estimates", estimates}};
}

void Measurement::measure_network(const Graph& network, Json& measured, Progress& progress) {
  const std::vector<Layer> layers = layers_of(network);
  if (work_ == 0)
    for (const Layer& layer : layers) work_ += work_of(layer) * static_cast<double>(files_.size());
  Clock::time_point begin = Clock::now();
  for_each_layer(network, layers, samples_, data_.normalisation, capture_options(),
                 [&](const Layer& layer, const at::Tensor& activations) {
                   seconds_["capture"] += seconds_since(begin);
                   measured.push_back(measure_layer(layer, activations, progress));
                   begin = Clock::now();
                 });
}

void Measurement::measure_all(Progress& progress) {
  for (const NetworkFile& file : files_) {
    report_["epochs"].push_back({{"name", file.path.filename().string()},
                                 {"epoch", file.epoch},
                                 {"layers", Json::array()}});
    naming(file.path, [&] {
      measure_network(network_of(file), report_["epochs"].back()["layers"], progress);
    });
  }
}

int Measurement::conclude(int signal) {
  seconds_["total"] = seconds_since(start_);
  report_["seconds"] = seconds_;
  report_["warnings"] = Json::array();
  report_["partial"] = signal != 0;
  validate(report_, measure_keys(), "report.json");
  const RunFolder folder(settings_.output);
  write_file(folder.report(), report_.dump(2) + "\n");
  write_file(folder.page(), measure_page(report_));
  std::cout << (settings_.json ? report_.dump(2) + "\n" : measure_summary(report_)) << std::flush;
  return signal == 0 ? 0 : kSignalled + signal;
}

int Measurement::run() {
  if (settings_.output.empty()) settings_.output = name_of_model(settings_.model) + "-measure";
  check_folder();
  load();
  if (settings_.dry_run) return dry_run();
  layers_of(network_);  // a name that fits nothing is an error before anything is written
  const InterruptGuard guard;
  const RunFolder folder(settings_.output);
  make_folder(folder.path());
  write_file(folder.config(), write_config(settings_, "measure"));
  report_ = report_head("measure", "measure", settings_, invocation_, device_);
  report_.update(
      Json{{"data",
            {{"path", settings_.data},
             {"part", data_.test.size() > 0 ? "test" : "train"},
             {"sha256", samples_.sha256}}},
           {"model", {{"path", settings_.model}, {"sha256", sha256_file(settings_.model)}}},
           {"samples", samples_.size()},
           {"classes", samples_.classes},
           {"epochs", Json::array()}});
  try {
    Progress progress(std::cerr,
                      settings_.quiet ? ProgressMode::off : parse_progress_mode(settings_.progress),
                      describe_terminal(STDERR_FILENO));
    measure_all(progress);
  } catch (const Interrupted& interrupted) {
    return conclude(interrupted.signal());
  }
  return conclude(0);
}

int measure(Settings settings, const Invocation& invocation) {
  return Measurement(std::move(settings), invocation).run();
}

const CommandRegistration registration({
    .name = "measure",
    .summary = "Measures dimension, capacity, information and spectrum of each layer",
    .example = "crrm measure demo/digits.onnx --data demo/digits.csv.gz",
    .run = &measure,
});

}  // namespace

}  // namespace crrm::cli
