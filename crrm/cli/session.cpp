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
#include "crrm/cli/goal_setter.h"
#include "crrm/cli/goals.h"
#include "crrm/cli/plan.h"
#include "crrm/cli/task.h"
#include "crrm/coupling/inputs.h"
#include "crrm/data/split.h"
#include "crrm/graph/batch.h"
#include "crrm/graph/shapes.h"
#include "crrm/io/onnx.h"
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

/// @throws InputError where the file is no model that a run left.
LatencyModel read_latency_model(const fs::path& path) {
  std::optional<LatencyModel> model;
  naming(path.string(), [&] {
    model =
        LatencyModel::from_json(Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false));
  });
  return *model;
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

  void check_folder(uint64_t bytes) const;
  void load();
  void resolve(const InputDescription& inputs);
  std::string task() const;
  void require_held_out() const;
  void require_labels() const;
  void unfold();
  void choose_augmentation();
  void make_options();
  void set_goal();
  std::unique_ptr<const Teacher> make_teacher() const;
  void make_task();
  void describe_task();
  int dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const;
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
  void describe_dense(const Evaluation& dense);
  void doubt_held_out(const Evaluation& dense);

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
  Json latency_model_;                ///< null where latency is not limited
  std::vector<std::string> warnings_;
  std::unique_ptr<Coupling> coupling_;
  std::unique_ptr<const Task> task_;
};

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
  require_held_out();
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

void Session::require_held_out() const {
  if (data_.held_out.size() > 0) return;
  throw InputError({.file = settings_.data,
                    .place = "held-out data",
                    .expected = "at least one sample",
                    .found = fmt::format("none of {} samples", data_.train.size()),
                    .hint = "choose a larger --held-out"});
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
      throw InputError({.file = network_file(),
                        .place = "--unfold always",
                        .expected = "convolutions with a bias and no BatchNormalization",
                        .found = "none"});
    return;
  }
  constexpr int64_t kMost = 2048, kMostValues = int64_t{1} << 25;
  const int64_t samples = samples_at_once(data_.train, kMost, kMostValues);
  naming(network_file(), [&] {
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
  // What is lost is counted from what the network has after training on a while, and nobody knows
  // how far down it is.
  constexpr double kLateBegin = 0.1, kLateEnd = 0.7;
  if (settings_.max_drop || !has_goal(settings_)) {
    schedule.ramp_begin = kLateBegin;
    schedule.ramp_end = kLateEnd;
  }
  schedule.ramp_end = settings_.ramp_end.value_or(schedule.ramp_end);
  schedule.ramp_begin = std::min(schedule.ramp_begin, schedule.ramp_end / 2);
  schedule.anneal_end = std::min(schedule.ramp_end + kAnnealAfterRamp, settings_.cut_at);
  schedule.cut = settings_.cut_at;
  options_.epochs = settings_.epochs;
  options_.batch = settings_.batch;
  constexpr int64_t kEvaluated = 500, kEvaluatedValues = 1'536'000;
  options_.evaluation_batch = samples_at_once(data_.train, kEvaluated, kEvaluatedValues);
  options_.seed = static_cast<uint64_t>(settings_.seed);
  options_.schedule = schedule;
  options_.optimizer = {settings_.optimizer, settings_.momentum, settings_.weight_decay};
  options_.augmentation = {*settings_.pad, *settings_.flip};
  options_.gates.method = settings_.method;
  options_.gates.criterion.power = settings_.gate_power;
}

void Session::set_goal() {
  assignment_.compresses = compresses();
  if (!compresses()) return;
  const Subject subject{.dense = dense_,
                        .network = network_,
                        .coupling = *coupling_,
                        .data = data_,
                        .say = [&](const std::string& line) { say(line); }};
  GoalSetter setter(subject, settings_, assignment_, options_);
  setter.set(resumes_ && !settings_.latency.empty()
                 ? std::optional(read_latency_model(folder_.latency_model()))
                 : std::nullopt);
  latency_model_ = setter.latency_model();
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
  require_same_outputs({teacher, settings_.reference}, {dense_, subject()},
                       assignment_.reversal.sample);
  return std::make_unique<Teacher>(teacher, options_.device);
}

void Session::make_task() {
  if (task() == "reconstruct") {
    if (!settings_.reference.empty())
      throw InputError({.file = "--reference",
                        .expected = "--task classify, which a teacher helps with",
                        .found = "reconstruct, where the inputs themselves are the measure"});
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
  if (data_.held_out.size() > 0) assignment_.blank_loss = task_->blank_loss(data_.held_out);
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

/// A network that was trained on what is held out now does there as well as on the rest: what is
/// lost on new data cannot be seen then.
void Session::doubt_held_out(const Evaluation& dense) {
  constexpr int64_t kMost = 10000;
  const Dataset known =
      select(data_.train, at::arange(std::min(kMost, data_.train.size()), at::kLong));
  const Evaluation there =
      task_->evaluate(dense_, known, data_.normalisation, options_.evaluation_batch);
  if (dense.metric < there.low) return;
  warnings_.push_back(fmt::format(
      "the network's {} on held-out samples, {}, is that on training samples: if it was "
      "trained on them all, less than --max-drop allows will be lost on new data",
      task_->metric(), format_percent(dense.metric)));
  say("warning: " + warnings_.back());
}

/// Before hours are spent on a network that reads its inputs wrongly.
void Session::describe_dense(const Evaluation& dense) {
  if (task() == "distill") return;  // it agrees with itself
  if (settings_.max_drop) doubt_held_out(dense);
  say(fmt::format("dense: {} {} on {} held-out samples{}", task_->metric(),
                  format_percent(dense.metric), dense.samples,
                  known_normalisation_
                      ? ""
                      : fmt::format("; inputs are read with {}, as neither --normalise nor {} says "
                                    "otherwise",
                                    settings_.normalise,
                                    description_path(settings_.model).filename().string())));
}

int Session::dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const {
  const Json plan = to_json(Plan{network_, *coupling_, options_, assignment_, check, dense});
  std::cout << (settings_.json ? plan.dump(2) + "\n" : plan_text(plan, subject()));
  return 0;
}

void Session::open_folder() {
  if (resumes_) return;
  folder_.open();
  write_file(folder_.config(), config_);
  if (!latency_model_.is_null()) write_file(folder_.latency_model(), latency_model_.dump(2) + "\n");
  if (settings_.keep_epochs) make_folder(folder_.epochs());
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
  if (settings_.keep_epochs)
    observer.epoch = [&](int64_t epoch, const Graph& network) {
      write_onnx(as_written(network, assignment_.reversal), folder_.epoch(epoch));
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
  if (!invocation_.prints) return;
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
  conclusion.warnings = warnings_;
  if (pending_signal() == 0) measure_latencies(written, inputs, conclusion);
  if (compresses())
    conclusion.goals = goals(assignment_, result, written, conclusion.final_latencies);
  const bool met = all_met(conclusion.goals);
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
    conclusion.warnings.emplace_back("the goal was not met, so no model was written");
  }
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
  const auto built = std::find_if(result.stages.rbegin(), result.stages.rend(),
                                  [](const Stage& stage) { return !stage.graph.nodes.empty(); });
  conclusion.goals = goals(assignment_, result, as_written(built->graph, assignment_.reversal), {});
  for (Json& goal : conclusion.goals) goal["met"] = false;
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
  check_folder(0);
  options_.device = prepare_machine(settings_);
  const std::string accelerator = accelerator_name(options_.device);
  say(fmt::format("seed {}, {} threads{}{}", settings_.seed, *settings_.threads,
                  accelerator.empty() ? "" : ", ", accelerator));
  load();
  choose_augmentation();
  make_options();
  const std::vector<Shape> sample = {data_.train.inputs.sizes().slice(1).vec()};
  naming(subject(), [&] {
    coupling_ = std::make_unique<Coupling>(
        network_, infer_shapes(network_, input_shapes(network_, kCouplingBatch, sample)));
  });
  set_goal();
  naming(subject(), [&] { make_task(); });
  describe_task();
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
