#include "crrm/cli/session.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "crrm/base/amount.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/log.h"
#include "crrm/cli/config.h"
#include "crrm/cli/ending.h"
#include "crrm/cli/goal_setter.h"
#include "crrm/cli/goals.h"
#include "crrm/cli/plan.h"
#include "crrm/cli/task.h"
#include "crrm/data/split.h"
#include "crrm/io/onnx.h"
#include "crrm/train/classification.h"
#include "crrm/train/machine.h"
#include "crrm/train/preflight.h"
#include "crrm/train/reconstruction.h"

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
        origin_(origin(settings_, command_)),
        folder_(settings_.output) {}

  int run();

 private:
  void check_folder(uint64_t bytes) const;
  void choose_augmentation();
  void make_options();
  void set_goal();
  std::unique_ptr<const Teacher> make_teacher() const;
  void make_task();
  void describe_assignment();
  void prepare();
  void describe_dense(const Evaluation& dense);
  void doubt_held_out(const Evaluation& dense);
  int dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const;
  void take_up(Run& run);
  void open_folder();
  RunObserver observer(Progress& progress, JsonLog& log);
  Ending ending() const;
  int train(Run& run);
  int interrupt(const Run& run, int signal);

  Settings settings_;
  std::string command_;
  const Invocation& invocation_;
  bool resumes_;
  Origin origin_;
  RunFolder folder_;
  Say say_ = [this](const std::string& line) {
    if (!settings_.quiet) std::cerr << line << "\n" << std::flush;
  };
  std::unique_ptr<Subject> subject_;
  RunOptions options_;
  Assignment assignment_;
  std::string config_;
  Fingerprint fingerprint_;
  UsageMeter meter_;
  Json latency_model_;  ///< null where latency is not limited
  std::vector<std::string> warnings_;
  std::unique_ptr<const Task> task_;
};

void Session::check_folder(uint64_t bytes) const {
  std::vector<fs::path> inputs = {settings_.data};
  for (const std::string& file : {settings_.config, settings_.weights})
    if (!file.empty()) inputs.emplace_back(file);
  if (!settings_.reference.empty()) inputs.emplace_back(settings_.reference);
  if (!origin_.file.empty()) {
    inputs.emplace_back(origin_.file);
    inputs.push_back(description_path(origin_.file));
  }
  folder_.check(inputs, settings_.force || resumes_, bytes);
}

void Session::choose_augmentation() {
  const bool small_colour = subject_->sample() == Shape({3, 32, 32});
  constexpr int64_t kUsualPad = 4;
  if (!settings_.pad) settings_.pad = small_colour ? kUsualPad : 0;
  if (!settings_.flip) settings_.flip = small_colour;
  const std::string crop = fmt::format("pad {} and crop", *settings_.pad);
  say_(fmt::format("augmentation: {}, {}", *settings_.pad > 0 ? crop : "no crop",
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
  options_.evaluation_batch = samples_at_once(subject_->data.train, kEvaluated, kEvaluatedValues);
  options_.seed = static_cast<uint64_t>(settings_.seed);
  options_.schedule = schedule;
  options_.optimizer = {settings_.optimizer, settings_.momentum, settings_.weight_decay};
  options_.augmentation = {*settings_.pad, *settings_.flip};
  options_.gates.method = settings_.method;
  options_.gates.criterion.power = settings_.gate_power;
}

void Session::set_goal() {
  if (!origin_.compresses) return;
  GoalSetter setter(*subject_, say_, settings_, assignment_, options_);
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
  if (origin_.compresses) return std::make_unique<Teacher>(subject_->dense, options_.device);
  if (settings_.reference.empty()) return nullptr;
  Graph teacher = load_model(settings_.reference);
  fit_model(teacher, settings_.reference, subject_->data);
  require_same_outputs({teacher, settings_.reference}, {subject_->dense, origin_.name},
                       subject_->sample());
  return std::make_unique<Teacher>(teacher, options_.device);
}

void Session::make_task() {
  const RunData& data = subject_->data;
  if (subject_->task == "reconstruct") {
    if (!settings_.reference.empty())
      throw InputError({.file = "--reference",
                        .expected = "--task classify, which a teacher helps with",
                        .found = "reconstruct, where the inputs themselves are the measure"});
    say_("task: give the inputs back");
    task_ = std::make_unique<Reconstruction>(
        subject_->sample(), variance_of(data.train, data.normalisation, options_.evaluation_batch));
  } else if (subject_->task == "distill") {
    if (!origin_.compresses)
      throw InputError({.file = "--task",
                        .expected = "classify or reconstruct",
                        .found = "distill, but there is no uncompressed network"});
    auto task = agreement_with(subject_->dense, data, settings_.logits, settings_.temperature,
                               options_.device);
    std::vector<std::string> outputs;
    for (const OutputLaw& law : task->laws())
      outputs.push_back(fmt::format("{} ({})", law.name, describe(law.kind)));
    say_(fmt::format("task: agree with the uncompressed network in {}", fmt::join(outputs, ", ")));
    task_ = std::move(task);
  } else {
    task_ = std::make_unique<Classification>(
        data.train.classes, make_teacher(),
        LossOptions{settings_.distillation, settings_.temperature});
  }
  assignment_.metric = task_->metric();
  if (data.held_out.size() > 0) assignment_.blank_loss = task_->blank_loss(data.held_out);
}

void Session::describe_assignment() {
  const Dataset& train = subject_->data.train;
  assignment_.command = invocation_.words;
  assignment_.config = values(settings_, command_);
  assignment_.model = origin_.name;
  assignment_.model_sha256 = subject_->model_sha256;
  assignment_.reversal = subject_->reversal;
  assignment_.compresses = origin_.compresses;
  assignment_.data = settings_.data;
  assignment_.split = fmt::format("{} of {}, seed {}", format_percent(settings_.held_out),
                                  train.labelled() ? "each class" : "the samples", settings_.seed);
  assignment_.seed = options_.seed;
  assignment_.threads = static_cast<int>(*settings_.threads);
  assignment_.accelerator = accelerator_name(options_.device);
  assignment_.price_per_hour = settings_.price_per_hour;
  config_ = write_config(settings_, command_);
  fingerprint_ = {command_, origin_.trained ? sha256_of(subject_->dense) : "", train.sha256,
                  sha256_text(config_)};
}

/// A network that was trained on what is held out now does there as well as on the rest: what is
/// lost on new data cannot be seen then.
void Session::doubt_held_out(const Evaluation& dense) {
  constexpr int64_t kMost = 10000;
  const RunData& data = subject_->data;
  const Dataset known =
      select(data.train, at::arange(std::min(kMost, data.train.size()), at::kLong));
  const Evaluation there =
      task_->evaluate(subject_->dense, known, data.normalisation, options_.evaluation_batch);
  if (dense.metric < there.low) return;
  warnings_.push_back(fmt::format(
      "the network's {} on held-out samples, {}, is that on training samples: if it was "
      "trained on them all, less than --max-drop allows will be lost on new data",
      task_->metric(), format_percent(dense.metric)));
  say_("warning: " + warnings_.back());
}

/// Before hours are spent on a network that reads its inputs wrongly.
void Session::describe_dense(const Evaluation& dense) {
  if (subject_->task == "distill") return;  // it agrees with itself
  if (settings_.max_drop) doubt_held_out(dense);
  say_(
      fmt::format("dense: {} {} on {} held-out samples{}", task_->metric(),
                  format_percent(dense.metric), dense.samples,
                  subject_->known_normalisation
                      ? ""
                      : fmt::format("; inputs are read with {}, as neither --normalise nor {} says "
                                    "otherwise",
                                    settings_.normalise,
                                    description_path(settings_.model).filename().string())));
}

int Session::dry_run(const Preflight& check, const std::optional<Evaluation>& dense) const {
  const Json plan =
      to_json(Plan{subject_->network, *subject_->coupling, options_, assignment_, check, dense});
  std::cout << (settings_.json ? plan.dump(2) + "\n" : plan_text(plan, origin_.name));
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
      write_onnx(as_written(network, subject_->reversal), folder_.epoch(epoch));
    };
  return observer;
}

Ending Session::ending() const {
  return Ending({.settings = settings_,
                 .subject = *subject_,
                 .assignment = assignment_,
                 .folder = folder_,
                 .device = options_.device,
                 .prints = invocation_.prints,
                 .say = say_});
}

int Session::interrupt(const Run& run, int signal) {
  ending().conclude_early(run, {}, meter_());
  const bool saved = fs::exists(folder_.checkpoint());
  std::cerr << (saved ? fmt::format("interrupted; to go on: crrm resume {}\n", settings_.output)
                      : "interrupted before the first checkpoint: start the run again\n");
  return kSignalled + signal;
}

/// All that the run is made of, before it is made.
void Session::prepare() {
  subject_ = std::make_unique<Subject>(settings_, origin_, say_);
  choose_augmentation();
  make_options();
  set_goal();
  naming(origin_.name, [&] { make_task(); });
  describe_assignment();
}

/// Goes on from the folder's checkpoint.
void Session::take_up(Run& run) {
  const TensorFile checkpoint = read_safetensors(folder_.checkpoint());
  fingerprint_.check(checkpoint, folder_.checkpoint().string());
  if (const auto usage = checkpoint.metadata.find("usage"); usage != checkpoint.metadata.end())
    meter_.add_before(to_usage(Json::parse(usage->second, nullptr, /*allow_exceptions=*/false)));
  run.resume(checkpoint);
}

int Session::train(Run& run) {
  JsonLog log(folder_.log());
  const InterruptGuard guard;
  std::optional<RunResult> result;
  try {
    Progress progress(std::cerr,
                      settings_.quiet ? ProgressMode::off : parse_progress_mode(settings_.progress),
                      describe_terminal(STDERR_FILENO));
    naming(origin_.name, [&] { result = run.train(observer(progress, log)); });
  } catch (const Interrupted& interrupted) {
    return interrupt(run, interrupted.signal());
  } catch (const GoalError& error) {
    ending().conclude_early(
        run,
        {fmt::format("the run ended early: {} found {}", error.fault().place, error.fault().found)},
        meter_());
    throw;
  }
  const bool met = ending().conclude(run, *result, warnings_, [&] { return meter_(); });
  if (pending_signal() != 0) return kSignalled + pending_signal();
  return met ? 0 : kGoalNotMet;
}

int Session::run() {
  check_folder(0);
  options_.device = prepare_machine(settings_);
  const std::string accelerator = accelerator_name(options_.device);
  say_(fmt::format("seed {}, {} threads{}{}", settings_.seed, *settings_.threads,
                   accelerator.empty() ? "" : ", ", accelerator));
  prepare();
  std::unique_ptr<Run> run;
  Preflight check;
  naming(origin_.name, [&] {
    run =
        std::make_unique<Run>(subject_->network, subject_->dense, *task_, subject_->data, options_);
    check = preflight(subject_->network, *task_, subject_->data, options_);
  });
  check_folder(static_cast<uint64_t>(check.disk_bytes));
  std::optional<Evaluation> dense;
  if (origin_.compresses && !resumes_) naming(origin_.name, [&] { dense = run->dense(); });
  if (dense) describe_dense(*dense);
  if (settings_.dry_run) return dry_run(check, dense);
  say_(fmt::format("about {} for {} steps", format_duration(check.seconds), check.steps));
  if (resumes_) take_up(*run);
  open_folder();
  return train(*run);
}

}  // namespace

int run_session(Settings settings, const std::string& command, const Invocation& invocation,
                bool resumes) {
  return Session(std::move(settings), command, invocation, resumes).run();
}

}  // namespace crrm::cli
