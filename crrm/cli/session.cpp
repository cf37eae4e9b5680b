#include "crrm/cli/session.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "crrm/architectures/architecture.h"
#include "crrm/architectures/fresh_weights.h"
#include "crrm/architectures/weights.h"
#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/log.h"
#include "crrm/cli/config.h"
#include "crrm/cli/task.h"
#include "crrm/coupling/inputs.h"
#include "crrm/graph/batch.h"
#include "crrm/graph/shapes.h"
#include "crrm/report/html.h"
#include "crrm/report/text.h"
#include "crrm/surgery/batch_norm.h"
#include "crrm/train/classification.h"
#include "crrm/train/machine.h"
#include "crrm/train/outcome.h"
#include "crrm/train/preflight.h"
#include "crrm/train/reconstruction.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kGoalNotMet = 1;
constexpr int kSignalled = 128;

/// Of the weights, wherever they are stored.
std::string sha256_of(const Graph& graph) {
  std::map<std::string, std::string> weights;
  for (const auto& [name, tensor] : graph.parameters) {
    const at::Tensor bytes = tensor.contiguous();
    weights[name] = sha256_text({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
  }
  std::string all;
  for (const auto& [name, digest] : weights) all += name + digest;
  return sha256_text(all);
}

/// `most` samples, or as many as have `values` numbers where they are large.
int64_t samples_at_once(const Dataset& data, int64_t most, int64_t values) {
  return std::clamp<int64_t>(values * data.size() / data.inputs.numel(), 1,
                             std::min(most, data.size()));
}

class Session {
 public:
  Session(Settings settings, std::string command, const Invocation& invocation, bool resumes)
      : settings_(std::move(settings)),
        command_(std::move(command)),
        invocation_(invocation),
        resumes_(resumes),
        folder_(settings_.output) {}

  int run();

 private:
  bool compresses() const { return command_ == "compress"; }
  const std::string& subject() const {
    return compresses() ? settings_.model : settings_.architecture;
  }
  /// The file that the network is read from; "" where it is built.
  std::string network_file() const {
    return compresses() || is_network_file(settings_.architecture) ? subject() : "";
  }
  bool begins_trained() const { return compresses() || !settings_.weights.empty(); }
  /// A line for people, on stderr.
  void say(const std::string& line) const {
    if (!settings_.quiet) std::cerr << line << "\n" << std::flush;
  }

  void check_limits() const;
  void check_folder(uint64_t bytes) const;
  void load();
  void resolve(const InputDescription& inputs);
  std::string task() const;
  void require_labels() const;
  void unfold();
  void choose_augmentation();
  void make_options();
  void set_goal();
  int64_t limit_of(const std::string& text, const std::string& option, int64_t dense) const;
  std::unique_ptr<const Teacher> make_teacher() const;
  void make_task();
  void describe_task();
  int dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const;
  Json plan(const Preflight& check, const std::optional<Evaluation>& dense) const;
  void open_folder();
  RunObserver observer(Progress& progress, JsonLog& log);
  int conclude(const Run& run, const RunResult& result);
  void measure_latencies(const Graph& written, const at::Tensor& inputs,
                         Conclusion& conclusion) const;
  void report_so_far(const Run& run, std::vector<std::string> warnings);
  int interrupt(const Run& run, int signal);
  void write_report(const RunResult& result, const Conclusion& conclusion);
  void print(const Json& report) const;
  std::string describe_model() const;
  void describe_dense(const Evaluation& dense) const;

  Settings settings_;
  std::string command_;
  const Invocation& invocation_;
  bool resumes_;
  RunFolder folder_;
  Graph dense_, network_;
  RunData data_;
  RunOptions options_;
  Assignment assignment_;
  std::string config_;
  Fingerprint fingerprint_;
  UsageMeter meter_;
  bool known_normalisation_ = false;  ///< or what holds where nobody says anything
  std::unique_ptr<Coupling> coupling_;
  std::unique_ptr<const Task> task_;
};

void Session::check_limits() const {
  if (!compresses() || settings_.macs.empty() != settings_.params.empty()) return;
  throw InputError({.file = "crrm compress",
                    .place = "limit",
                    .expected = "one of --macs and --params, such as --macs 50% or --params 15M",
                    .found = settings_.macs.empty() ? "neither" : "both"});
}

void Session::check_folder(uint64_t bytes) const {
  std::vector<fs::path> inputs = {settings_.data};
  for (const std::string& file : {settings_.config, settings_.weights})
    if (!file.empty()) inputs.emplace_back(file);
  if (!settings_.reference.empty()) inputs.emplace_back(settings_.reference);
  if (const std::string model = network_file(); !model.empty()) {
    inputs.emplace_back(model);
    inputs.push_back(description_path(model));
  }
  folder_.check(inputs, settings_.force || resumes_, bytes);
}

void Session::load() {
  const std::string model = network_file();
  const InputDescription inputs = describe_inputs(settings_, model);
  if (!model.empty()) dense_ = load_model(model);
  data_ = load_run_data(settings_, inputs, model.empty() ? nullptr : &dense_);
  known_normalisation_ = !settings_.normalise.empty() || inputs.normalisation;
  resolve(inputs);
  if (task() == "classify") require_labels();
  if (!model.empty()) {
    assignment_.reversal.batch = fit_model(dense_, model, data_);
    assignment_.model_sha256 = sha256_file(model);
  } else {
    dense_ = build(settings_.architecture, data_.train.inputs.sizes().slice(1).vec(),
                   data_.train.classes, static_cast<uint64_t>(settings_.seed));
    if (!settings_.weights.empty())
      set_weights(dense_, read_weights(settings_.weights), settings_.weights);
  }
  network_ = clone(dense_);
  assignment_.reversal.sample = data_.train.inputs.sizes().slice(1).vec();
  if (!model.empty()) unfold();
  if (!compresses() && !model.empty())
    draw_fresh_weights(network_, {assignment_.reversal.sample},
                       static_cast<uint64_t>(settings_.seed));
  if (settings_.inputs) {
    gate_inputs(network_, {assignment_.reversal.sample});
    assignment_.reversal.inputs = true;
  }
}

/// What was read beside the model becomes part of the run's own configuration.
void Session::resolve(const InputDescription& inputs) {
  settings_.normalise = to_text(data_.normalisation);
  settings_.label_column = inputs.label_column;
  settings_.shape = fmt::format("{}", fmt::join(inputs.shape, "x"));
  settings_.resize = fmt::format("{}", fmt::join(inputs.resize, "x"));
  settings_.crop = fmt::format("{}", fmt::join(inputs.crop, "x"));
  settings_.channels = inputs.channels;
  settings_.layout = inputs.layout;
}

/// What --task auto means here.
std::string Session::task() const {
  if (settings_.task != "auto") return settings_.task;
  if (network_file().empty() && find_architecture(settings_.architecture).reconstructs)
    return "reconstruct";
  return compresses() && !data_.train.labelled() ? "distill" : "classify";
}

void Session::require_labels() const {
  if (data_.train.labelled()) return;
  throw InputError({.file = settings_.data,
                    .expected = "data with labels",
                    .found = "inputs alone",
                    .hint = "crrm compress --task distill needs none"});
}

void Session::unfold() {
  if (settings_.unfold == "never") return;
  const std::vector<std::string> convolutions = folded_convolutions(network_);
  if (convolutions.empty()) {
    if (settings_.unfold == "always")
      throw InputError({.file = settings_.model,
                        .place = "--unfold always",
                        .expected = "convolutions with a bias and no BatchNormalization",
                        .found = "none"});
    return;
  }
  constexpr int64_t kMost = 2048, kMostValues = int64_t{1} << 25;
  const int64_t samples = samples_at_once(data_.train, kMost, kMostValues);
  naming(settings_.model, [&] {
    unfold_batch_norm(network_, convolutions,
                      take(data_.train, data_.normalisation, 0, samples, true).inputs);
  });
  assignment_.reversal.batch_norm = true;
  say(fmt::format("unfold: batch normalisation put back behind {} convolutions, from {} samples",
                  convolutions.size(), samples));
}

void Session::choose_augmentation() {
  const at::IntArrayRef sample = data_.train.inputs.sizes().slice(1);
  const bool small_colour = sample == at::IntArrayRef({3, 32, 32});
  constexpr int64_t kUsualPad = 4;
  if (!settings_.pad) settings_.pad = small_colour ? kUsualPad : 0;
  if (!settings_.flip) settings_.flip = small_colour;
  const std::string crop = fmt::format("pad {} and crop", *settings_.pad);
  say(fmt::format("augmentation: {}, {}", *settings_.pad > 0 ? crop : "no crop",
                  *settings_.flip ? "flip" : "no flip"));
}

void Session::make_options() {
  constexpr double kAnnealAfterRamp = 0.1;  // share of the run
  ScheduleOptions schedule{.learning_rate = settings_.learning_rate};
  schedule.ramp_end = settings_.ramp_end;
  schedule.ramp_begin = std::min(schedule.ramp_begin, settings_.ramp_end / 2);
  schedule.anneal_end = std::min(settings_.ramp_end + kAnnealAfterRamp, settings_.cut_at);
  schedule.cut = settings_.cut_at;
  options_.epochs = settings_.epochs;
  options_.batch = settings_.batch;
  constexpr int64_t kEvaluated = 500, kEvaluatedValues = 1'536'000;
  options_.evaluation_batch = samples_at_once(data_.train, kEvaluated, kEvaluatedValues);
  options_.seed = static_cast<uint64_t>(settings_.seed);
  options_.schedule = schedule;
  options_.optimizer = {settings_.optimizer, settings_.momentum, settings_.weight_decay};
  options_.augmentation = {*settings_.pad, *settings_.flip};
  options_.gates.power = settings_.gate_power;
}

int64_t Session::limit_of(const std::string& text, const std::string& option, int64_t dense) const {
  const Amount amount = parse_amount(text, option);
  constexpr double kWhole = 100;
  if (amount.unit == Amount::Unit::percent) {
    if (amount.value > kWhole)
      throw InputError({.file = option, .expected = "at most 100%", .found = text});
    return static_cast<int64_t>(std::floor(amount.value / kWhole * static_cast<double>(dense)));
  }
  constexpr double kMost = 9e18;  // of int64
  return static_cast<int64_t>(std::min(amount.value, kMost));
}

void Session::set_goal() {
  const Cost whole = cost(dense_, {data_.train.inputs.sizes().slice(1).vec()});
  const bool params = !settings_.params.empty();
  assignment_.resource = params ? Resource::params : Resource::macs;
  assignment_.limit = amount(whole, assignment_.resource);
  assignment_.limit_text = "no limit";
  assignment_.compresses = compresses();
  if (!compresses()) return;
  assignment_.limit_text = params ? settings_.params : settings_.macs;
  assignment_.limit =
      limit_of(assignment_.limit_text, params ? "--params" : "--macs", assignment_.limit);
  if (const int64_t dense = amount(whole, assignment_.resource); assignment_.limit >= dense)
    throw InputError({.file = params ? "--params" : "--macs",
                      .expected = fmt::format("less than {}, what the network has", dense),
                      .found = assignment_.limit_text});
  options_.gates.resource = assignment_.resource;
  options_.budget = Budget{assignment_.resource, assignment_.limit};
}

const char* describe(OutputKind kind) {
  switch (kind) {
    case OutputKind::values:
      return "values";
    case OutputKind::probabilities:
      return "probabilities";
    case OutputKind::logits:
      return "logits";
    case OutputKind::discrete:
      break;
  }
  return "whole numbers, compared only";
}

/// The network before it is compressed, or another one; null where nobody teaches.
std::unique_ptr<const Teacher> Session::make_teacher() const {
  if (settings_.distillation == 0) return nullptr;
  if (compresses()) return std::make_unique<Teacher>(dense_, options_.device);
  if (settings_.reference.empty()) return nullptr;
  Graph teacher = load_model(settings_.reference);
  fit_model(teacher, settings_.reference, data_);
  return std::make_unique<Teacher>(teacher, options_.device);
}

void Session::make_task() {
  if (task() == "reconstruct") {
    say("task: give the inputs back");
    task_ = std::make_unique<Reconstruction>(
        assignment_.reversal.sample,
        variance_of(data_.train, data_.normalisation, options_.evaluation_batch));
  } else if (task() == "distill") {
    if (!compresses())
      throw InputError({.file = "--task",
                        .expected = "classify or reconstruct",
                        .found = "distill, but there is no uncompressed network"});
    auto task =
        agreement_with(dense_, data_, settings_.logits, settings_.temperature, options_.device);
    std::vector<std::string> outputs;
    for (const OutputLaw& law : task->laws())
      outputs.push_back(fmt::format("{} ({})", law.name, describe(law.kind)));
    say(fmt::format("task: agree with the uncompressed network in {}", fmt::join(outputs, ", ")));
    task_ = std::move(task);
  } else {
    task_ = std::make_unique<Classification>(
        data_.train.classes, make_teacher(),
        LossOptions{settings_.distillation, settings_.temperature});
  }
  assignment_.metric = task_->metric();
}

void Session::describe_task() {
  assignment_.command = invocation_.words;
  assignment_.config = values(settings_, command_);
  assignment_.model = subject();
  assignment_.data = settings_.data;
  assignment_.split =
      fmt::format("{} of {}, seed {}", format_percent(settings_.held_out),
                  data_.train.labelled() ? "each class" : "the samples", settings_.seed);
  assignment_.seed = options_.seed;
  assignment_.threads = static_cast<int>(*settings_.threads);
  assignment_.accelerator = accelerator_name(options_.device);
  assignment_.price_per_hour = settings_.price_per_hour;
  config_ = write_config(settings_, command_);
  fingerprint_ = {command_, begins_trained() ? sha256_of(dense_) : "", data_.train.sha256,
                  sha256_text(config_)};
}

/// Before hours are spent on a network that reads its inputs wrongly.
void Session::describe_dense(const Evaluation& dense) const {
  if (task() == "distill") return;  // it agrees with itself
  say(fmt::format("dense: {} {} on {} held-out samples{}", task_->metric(),
                  format_percent(dense.metric), dense.samples,
                  known_normalisation_
                      ? ""
                      : fmt::format("; inputs are read with {}, as neither --normalise nor {} says "
                                    "otherwise",
                                    settings_.normalise,
                                    description_path(settings_.model).filename().string())));
}

Json Session::plan(const Preflight& check, const std::optional<Evaluation>& dense) const {
  const std::vector<bool> all(static_cast<size_t>(coupling_->size()), true);
  const CostModel model(network_, *coupling_);
  const Json groups = describe_groups(network_, *coupling_, all);
  return {{"metric", task_->metric()},
          {"held_out_metric", dense ? Json(dense->metric) : Json()},
          {"goal",
           {{"kind", assignment_.resource == Resource::macs ? "macs" : "params"},
            {"limit", assignment_.limit},
            {"smallest", amount(smallest_cost(*coupling_, model), assignment_.resource)},
            {"dense", amount(model(all), assignment_.resource)}}},
          {"groups", groups},
          {"steps", check.steps},
          {"seconds", check.seconds},
          {"memory_bytes", check.memory_bytes},
          {"disk_bytes", check.disk_bytes}};
}

int Session::dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const {
  const Json described = plan(check, dense);
  if (settings_.json) {
    std::cout << described.dump(2) << "\n";
    return 0;
  }
  const Json& goal = described["goal"];
  const char* unit = goal["kind"] == "macs" ? "MACs" : "parameters";
  std::cout << (compresses()
                    ? fmt::format("{} can have from {} to {} {}; the goal is {} ({}).\n", subject(),
                                  format_count(goal["smallest"]), format_count(goal["dense"]), unit,
                                  format_count(goal["limit"]), assignment_.limit_text)
                    : fmt::format("{} has {} {}.\n", subject(), format_count(goal["dense"]), unit));
  for (const Json& group : described["groups"])
    std::cout << (group["frozen"].is_null()
                      ? fmt::format("  {}: {} units, each {} parameters and {} MACs\n",
                                    group["name"].get<std::string>(), group["of"].get<int64_t>(),
                                    group["units_cost_params"].get<int64_t>(),
                                    group["units_cost_macs"].get<int64_t>())
                      : fmt::format("  {}: {} frozen: {}\n", group["name"].get<std::string>(),
                                    group["of"].get<int64_t>(),
                                    group["frozen"].get<std::string>()));
  std::cout << fmt::format("{} steps, about {}; {} of memory, {} of disk. Nothing was written.\n",
                           check.steps, format_duration(check.seconds),
                           format_bytes(static_cast<double>(check.memory_bytes)),
                           format_bytes(static_cast<double>(check.disk_bytes)));
  return 0;
}

void Session::open_folder() {
  if (resumes_) return;
  folder_.open();
  write_file(folder_.config(), config_);
}

RunObserver Session::observer(Progress& progress, JsonLog& log) {
  RunObserver observer;
  observer.progress = [&](const ProgressState& state) { progress.update(state); };
  observer.log = [&](const Json& entry) {
    log.write(entry);
    if (!settings_.verbose) return;
    progress.clear();
    std::cerr << entry.dump() << "\n";
  };
  if (settings_.verbose)
    observer.step = [&](int64_t step, double loss) {
      progress.clear();
      std::cerr << fmt::format("step {}: loss {:.4f}\n", step, loss);
    };
  observer.save = [&](const TensorFile& state) {
    TensorFile stamped = state;
    fingerprint_.stamp(stamped);
    stamped.metadata["usage"] = to_json(meter_()).dump();
    write_safetensors(stamped, folder_.checkpoint());
  };
  return observer;
}

void Session::write_report(const RunResult& result, const Conclusion& conclusion) {
  const Json report = make_report(assignment_, data_, network_, *coupling_, result, conclusion);
  write_file(folder_.report(), report.dump(2) + "\n");
  write_file(folder_.page(), html(report));
  print(report);
}

void Session::print(const Json& report) const {
  if (settings_.json)
    std::cout << report.dump(2) << "\n";
  else
    std::cout << summary(report);
  std::cout << std::flush;
}

/// model.json, so that whoever reads model.onnx prepares inputs as this run did.
std::string Session::describe_model() const {
  const Normalisation& normalisation = data_.normalisation;
  Json description = {{"scale", normalisation.scale}};
  if (!normalisation.mean.empty()) description["mean"] = normalisation.mean;
  if (!normalisation.std.empty()) description["std"] = normalisation.std;
  description["shape"] = data_.train.inputs.sizes().slice(1).vec();
  const InputDescription inputs = describe_inputs(settings_, "");
  if (!inputs.resize.empty()) description["resize"] = inputs.resize;
  if (!inputs.crop.empty()) description["crop"] = inputs.crop;
  if (!inputs.channels.empty()) description["channels"] = inputs.channels;
  if (!inputs.layout.empty()) description["layout"] = inputs.layout;
  return description.dump(2) + "\n";
}

int Session::conclude(const Run& run, const RunResult& result) {
  const Graph& final = result.stages.back().graph;
  const Graph written = as_written(final, assignment_.reversal);
  const at::Tensor inputs = proof_inputs(data_, assignment_.reversal.batch);
  Conclusion conclusion;
  const bool met = !compresses() || goal_met(assignment_, result);
  if (met) {
    conclusion.verification =
        write_proved(network_, *coupling_, result.alive, run.network().whole(final), final, written,
                     inputs, folder_.model());
    write_file(folder_.description(), describe_model());
    conclusion.files = {folder_.model(), folder_.description()};
    if (!compresses()) {
      write_weights(final, folder_.weights());
      conclusion.files.push_back(folder_.weights());
    }
  } else {
    conclusion.warnings = {"the goal was not met, so no model was written"};
  }
  if (pending_signal() == 0) measure_latencies(written, inputs, conclusion);
  conclusion.usage = meter_();
  write_report(result, conclusion);
  if (pending_signal() != 0) return kSignalled + pending_signal();
  return met ? 0 : kGoalNotMet;
}

void Session::measure_latencies(const Graph& written, const at::Tensor& inputs,
                                Conclusion& conclusion) const {
  say("latency: measuring");
  if (compresses()) {
    Graph dense = dense_;
    fix_batch(dense, assignment_.reversal.batch);
    conclusion.dense_latencies = latencies(dense, inputs, assignment_.threads, options_.device);
  }
  conclusion.final_latencies = latencies(written, inputs, assignment_.threads, options_.device);
}

void Session::report_so_far(const Run& run, std::vector<std::string> warnings) {
  RunResult result = run.so_far();
  if (result.stages.empty()) result.stages.push_back({"dense", dense_, {}, std::nullopt});
  Conclusion conclusion;
  conclusion.partial = true;
  conclusion.warnings = std::move(warnings);
  conclusion.usage = meter_();
  write_report(result, conclusion);
}

int Session::interrupt(const Run& run, int signal) {
  report_so_far(run, {});
  const bool saved = fs::exists(folder_.checkpoint());
  std::cerr << (saved ? fmt::format("interrupted; to go on: crrm resume {}\n", settings_.output)
                      : "interrupted before the first checkpoint: start the run again\n");
  return kSignalled + signal;
}

int Session::run() {
  check_limits();
  check_folder(0);
  options_.device = prepare_machine(settings_);
  const std::string accelerator = accelerator_name(options_.device);
  say(fmt::format("seed {}, {} threads{}{}", settings_.seed, *settings_.threads,
                  accelerator.empty() ? "" : ", ", accelerator));
  load();
  choose_augmentation();
  make_options();
  set_goal();
  naming(subject(), [&] { make_task(); });
  describe_task();
  const std::vector<Shape> sample = {data_.train.inputs.sizes().slice(1).vec()};
  naming(subject(), [&] {
    coupling_ = std::make_unique<Coupling>(
        network_, infer_shapes(network_, input_shapes(network_, kCouplingBatch, sample)));
  });
  std::unique_ptr<Run> run;
  Preflight check;
  naming(subject(), [&] {
    run = std::make_unique<Run>(network_, dense_, *task_, data_, options_);
    check = preflight(network_, *task_, data_, options_);
  });
  check_folder(static_cast<uint64_t>(check.disk_bytes));
  std::optional<Evaluation> dense;
  if (compresses() && !resumes_) naming(settings_.model, [&] { dense = run->dense(); });
  if (dense) describe_dense(*dense);
  if (settings_.dry_run) return dry_run(check, dense);
  say(fmt::format("about {} for {} steps", format_duration(check.seconds), check.steps));
  if (resumes_) {
    const TensorFile checkpoint = read_safetensors(folder_.checkpoint());
    fingerprint_.check(checkpoint, folder_.checkpoint().string());
    if (const auto usage = checkpoint.metadata.find("usage"); usage != checkpoint.metadata.end())
      meter_.add_before(to_usage(Json::parse(usage->second, nullptr, /*allow_exceptions=*/false)));
    run->resume(checkpoint);
  }
  open_folder();

  JsonLog log(folder_.log());
  const InterruptGuard guard;
  std::optional<RunResult> result;
  try {
    Progress progress(std::cerr,
                      settings_.quiet ? ProgressMode::off : parse_progress_mode(settings_.progress),
                      describe_terminal(STDERR_FILENO));
    naming(subject(), [&] { result = run->train(observer(progress, log)); });
  } catch (const Interrupted& interrupted) {
    return interrupt(*run, interrupted.signal());
  } catch (const GoalError& error) {
    report_so_far(*run, {fmt::format("the run ended early: {} found {}", error.fault().place,
                                     error.fault().found)});
    throw;
  }
  return conclude(*run, *result);
}

}  // namespace

int run_session(Settings settings, const std::string& command, const Invocation& invocation,
                bool resumes) {
  return Session(std::move(settings), command, invocation, resumes).run();
}

}  // namespace crrm::cli
