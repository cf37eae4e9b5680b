#include "crrm/cli/options.h"

#include <charconv>
#include <limits>

#include "crrm/activations/layer_measure.h"
#include "crrm/architectures/architecture.h"
#include "crrm/base/error.h"
#include "crrm/cli/command.h"
#include "crrm/criteria/criterion.h"

namespace crrm::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Range kPositive = {.low = 0, .high = kInfinity, .low_open = true};
const Range kNonNegative = {.low = 0, .high = kInfinity};
const Range kAtLeastOne = {.low = 1, .high = kInfinity};
// More is a slip of the keyboard, and would overflow or exhaust the machine far from here.
const Range kEpochs = {.low = 1, .high = 1e6};
const Range kBatch = {.low = 1, .high = 1e6};
const Range kPixels = {.low = 0, .high = 1024};
const Range kSamples = {.low = 10, .high = 1e6};
const Range kSeeds = {.low = 2, .high = 1000};
const Range kSubsets = {.low = 1, .high = 10000};
const Range kThreads = {.low = 1, .high = 1024};
const Range kShare = {.low = 0, .high = 1};
const Range kProperShare = {.low = 0, .high = 1, .high_open = true};
const Range kOpenShare = {.low = 0, .high = 1, .low_open = true, .high_open = true};

const Range kPoints = {.low = 0, .high = 100, .high_open = true};

const std::vector<Amount::Unit> kBytesOrShare = {Amount::Unit::bytes, Amount::Unit::percent};
const std::vector<Amount::Unit> kCountOrShare = {Amount::Unit::count, Amount::Unit::percent};

const std::vector<std::string> kRuns = {"compress", "train"};
const std::vector<std::string> kEvaluates = {"compress", "train", "eval"};
const std::vector<std::string> kReadsData = {"compress", "train", "eval", "measure"};
const std::vector<std::string> kTakesData = {"compress", "train", "eval", "measure", "advise"};
const std::vector<std::string> kDescribesData = {"compress", "train",  "eval",
                                                 "measure",  "advise", "phases"};
const std::vector<std::string> kCompress = {"compress"};

std::vector<Option> table() {
  using S = Settings;
  return {
      {.name = "model",
       .field = &S::model,
       .unit = "MODEL",
       .help = "the network, an ONNX file",
       .commands = {"compress", "cut", "eval", "inspect", "measure"},
       .need = Need::required,
       .positional = true},
      {.name = "architecture",
       .field = &S::architecture,
       .unit = "ARCH",
       .help = fmt::format("{}", fmt::join(architecture_names(), ", ")),
       .commands = {"train"},
       .need = Need::required,
       .positional = true},
      {.name = "input",
       .field = &S::input,
       .unit = "IN",
       .help = "the file to read, ONNX or safetensors",
       .commands = {"convert"},
       .need = Need::required,
       .positional = true},
      {.name = "target",
       .field = &S::target,
       .unit = "OUT",
       .help = "the ONNX file to write",
       .commands = {"convert"},
       .need = Need::required,
       .positional = true},
      {.name = "models",
       .field = &S::models,
       .unit = "DIR",
       .help = "a folder of ONNX files, or one",
       .commands = {"conformance"},
       .need = Need::required,
       .positional = true},
      {.name = "run",
       .field = &S::run,
       .unit = "RUN",
       .help = "the folder of a run",
       .commands = {"report", "resume"},
       .need = Need::required,
       .positional = true},
      {.name = "grid",
       .field = &S::grid,
       .unit = "FILE",
       .help = "which models, methods, budgets and seeds: JSON",
       .commands = {"bench"},
       .need = Need::required,
       .positional = true},
      {.name = "shell",
       .field = &S::shell,
       .unit = "SHELL",
       .choices = {"bash", "zsh", "fish"},
       .help = "the shell to complete for",
       .commands = {"completion"},
       .need = Need::required,
       .positional = true},
      {.name = "family",
       .field = &S::family,
       .unit = "FAMILY",
       .fallback = "all",
       .help = "measures to check, such as dimension or information",
       .commands = {"selftest"},
       .positional = true},
      {.name = "setups",
       .field = &S::setups,
       .unit = "SETUPS",
       .fallback = "all",
       .help = "what to train, with commas between: tanh, relu, quantised, crrm; with --data also "
               "mlp and cnn; the five controls are trained every time. With --checkpoints: what to "
               "train besides",
       .commands = {"phases"},
       .positional = true},
      {.name = "command",
       .field = &S::topic,
       .unit = "COMMAND",
       .choices = command_names(),
       .help = "the command to explain",
       .commands = {"help"},
       .positional = true},

      {.name = "data",
       .field = &S::data,
       .unit = "DATA",
       .help = "a folder of images, CIFAR-10 or MNIST, a CSV file, or NumPy arrays",
       .commands = kTakesData,
       .need = Need::required},
      {.name = "data",
       .field = &S::data,
       .unit = "DATA",
       .help = "images or a table with labels, such as MNIST, to train mlp and cnn on",
       .commands = {"phases"}},
      {.name = "output",
       .letter = "o",
       .field = &S::output,
       .unit = "DIR",
       .fallback = "NAME-crrm, of cut NAME-cut, of bench NAME-bench, of measure NAME-measure, of "
                   "phases phases-crrm",
       .help = "the folder that is written",
       .commands = {"compress", "train", "cut", "bench", "measure", "phases"}},
      {.name = "samples",
       .field = &S::samples,
       .unit = "N",
       .range = kSamples,
       .help = "samples that every layer is measured on, of each class in proportion",
       .commands = {"measure"}},
      {.name = "samples",
       .field = &S::samples,
       .unit = "N",
       .range = kSamples,
       .help = "training samples whose dimension is estimated, of each class in proportion",
       .commands = {"advise"}},
      {.name = "samples",
       .field = &S::samples,
       .unit = "N",
       .range = kSamples,
       .help = "test samples of DATA that mlp and cnn are looked at on; all others are on every "
               "input of 12 bits",
       .commands = {"phases"}},
      {.name = "layers",
       .field = &S::layers,
       .unit = "NAMES",
       .fallback = "inputs, what each contraction reads, outputs",
       .help = "values or nodes to measure, with commas between; * stands for any letters",
       .commands = {"measure"}},
      {.name = "measures",
       .field = &S::measures,
       .unit = "NAMES",
       .fallback = "all",
       .help = fmt::format("families with commas between: {}",
                           fmt::join(layer_measure_families(), ", ")),
       .commands = {"measure"}},
      {.name = "channel",
       .field = &S::channel,
       .unit = "CHANNEL",
       .help = "what makes I(X;T) finite: in the model noise:VARIANCE, quantised:LEVELS or gates; "
               "for the analysis alone sweep, post-hoc-noise:VARIANCE or post-hoc-bins:COUNT; "
               "matrix-renyi:WIDTH takes the entropy of a kernel instead, as older papers do",
       .commands = {"measure"}},
      {.name = "checkpoints",
       .field = &S::checkpoints,
       .unit = "DIR",
       .help =
           "measure these networks in MODEL's place: ONNX, or safetensors with its weights, one "
           "an epoch in the order of their names",
       .commands = {"measure"}},
      {.name = "checkpoints",
       .field = &S::checkpoints,
       .unit = "DIR",
       .help =
           "look at these networks, trained on DATA, in place of training any: one folder a seed, "
           "in it ONNX files, one an epoch, as crrm train --keep-epochs writes",
       .commands = {"phases"}},
      {.name = "memory",
       .field = &S::memory,
       .unit = "SIZE",
       .amounts = {Amount::Unit::bytes},
       .help = "activations that are held at once; a layer that is larger goes to a temporary file",
       .commands = {"measure"}},
      {.name = "max-drop",
       .field = &S::max_drop,
       .unit = "POINTS",
       .range = kPoints,
       .fallback = "where nothing is limited, the shortest description decides",
       .help = "points of the metric that may be lost at most on held-out data: 0.5",
       .commands = kCompress},
      {.name = "macs",
       .field = &S::macs,
       .unit = "AMOUNT",
       .amounts = kCountOrShare,
       .help = "multiply-accumulates a sample may cost at most: 50% or 20M",
       .commands = kCompress},
      {.name = "params",
       .field = &S::params,
       .unit = "AMOUNT",
       .amounts = kCountOrShare,
       .help = "parameters that may stay at most: 50% or 15M",
       .commands = kCompress},
      {.name = "size",
       .field = &S::size,
       .unit = "AMOUNT",
       .amounts = kBytesOrShare,
       .help = "bytes of the model file at most: 2MB or 50%",
       .commands = kCompress},
      {.name = "latency",
       .field = &S::latency,
       .unit = "TIME",
       .help = "one sample may take at most, on this machine: 4ms, or 4ms@2threads",
       .commands = kCompress},

      {.name = "multiple",
       .field = &S::multiple,
       .unit = "N",
       .fallback = "auto with --latency, else 1",
       .help = "channels that stay are multiples of N, which many runtimes need to be fast: 8, or "
               "auto for what is fastest here, measured at the limits",
       .commands = kCompress},

      {.name = "epochs",
       .field = &S::epochs,
       .unit = "N",
       .range = kEpochs,
       .help = "passes over the training data",
       .commands = kRuns},
      {.name = "epochs",
       .field = &S::setup_epochs,
       .unit = "N",
       .range = kEpochs,
       .fallback = "as each set-up says",
       .help = "passes over the training data",
       .commands = {"phases"}},
      {.name = "seeds",
       .field = &S::seeds,
       .unit = "N",
       .range = kSeeds,
       .help = "networks that are trained of each set-up; below 5, nothing is claimed",
       .commands = {"phases"}},
      {.name = "batch",
       .field = &S::batch,
       .unit = "N",
       .range = kBatch,
       .help = "samples a step",
       .commands = kReadsData},
      {.name = "learning-rate",
       .field = &S::learning_rate,
       .unit = "RATE",
       .range = kPositive,
       .help = "the optimiser's peak rate",
       .commands = kRuns},
      {.name = "optimizer",
       .field = &S::optimizer,
       .unit = "KIND",
       .choices = {"sgd", "adamw"},
       .help = "sgd has Nesterov momentum",
       .commands = kRuns},
      {.name = "momentum",
       .field = &S::momentum,
       .unit = "X",
       .range = kProperShare,
       .help = "of sgd",
       .commands = kRuns},
      {.name = "weight-decay",
       .field = &S::weight_decay,
       .unit = "X",
       .range = kNonNegative,
       .help = "of weights with two axes or more",
       .commands = kRuns},
      {.name = "task",
       .field = &S::task,
       .unit = "TASK",
       .choices = {"auto", "classify", "distill", "reconstruct"},
       .fallback = "auto: reconstruct for ae:W,..., distill where the data have no labels",
       .help = "what counts: labels, the uncompressed network's outputs, or giving the inputs back",
       .commands = kEvaluates},
      {.name = "logits",
       .field = &S::logits,
       .unit = "NAMES",
       .fallback = "none",
       .help = "outputs that are logits of classes, with commas between: compared as distributions",
       .commands = {"compress", "eval"}},
      {.name = "reference",
       .field = &S::reference,
       .unit = "MODEL",
       .help = "another network: eval's measure where there are no labels, a teacher for train",
       .commands = {"eval", "train"}},
      {.name = "weights",
       .field = &S::weights,
       .unit = "FILE",
       .fallback = "drawn at random",
       .help = "begin with these weights, a safetensors file with PyTorch's names",
       .commands = {"train"}},
      {.name = "architecture",
       .field = &S::architecture,
       .unit = "ARCH",
       .help = "the network of which a safetensors file holds the weights",
       .commands = {"convert"}},
      {.name = "distillation",
       .field = &S::distillation,
       .unit = "SHARE",
       .range = kShare,
       .help = "share of the loss that the uncompressed network teaches, where there are labels",
       .commands = kRuns},
      {.name = "temperature",
       .field = &S::temperature,
       .unit = "T",
       .range = kPositive,
       .help = "of that teaching",
       .commands = kRuns},
      {.name = "pad",
       .field = &S::pad,
       .unit = "PIXELS",
       .range = kPixels,
       .fallback = "4 for colour images of 32 x 32, else 0",
       .help = "zeros around a training image before it is cropped at random",
       .commands = kRuns},
      {.name = "flip",
       .field = &S::flip,
       .fallback = "yes for colour images of 32 x 32, else no",
       .help = "mirror half of the training images",
       .commands = kRuns},
      {.name = "held-out",
       .field = &S::held_out,
       .unit = "SHARE",
       .range = kOpenShare,
       .help = "share of the training data that steers the run and is not trained on",
       .commands = kRuns},
      {.name = "seed",
       .field = &S::seed,
       .unit = "N",
       .range = kNonNegative,
       .help = "all random numbers derive from it",
       .commands = {"compress", "train", "cut", "conformance", "measure", "phases", "advise"}},
      {.name = "threads",
       .field = &S::threads,
       .unit = "N",
       .range = kThreads,
       .fallback = "all",
       .help = "processor threads",
       .commands = {"compress", "train", "eval", "conformance", "selftest", "measure", "phases",
                    "advise"}},
      {.name = "device",
       .field = &S::device,
       .unit = "DEVICE",
       .choices = {"cpu", "cuda"},
       .help = "where to compute",
       .commands = kReadsData},
      {.name = "method",
       .field = &S::method,
       .unit = "NAME",
       .choices = criterion_names(),
       .help = "what ranks the units; all but crrm are there for comparison",
       .commands = kCompress},
      {.name = "gate-power",
       .field = &S::gate_power,
       .unit = "P",
       .range = kAtLeastOne,
       .help = "how sharply gates close: 1 charges the rate in nats",
       .commands = kCompress},
      {.name = "ramp-end",
       .field = &S::ramp_end,
       .unit = "SHARE",
       .range = kOpenShare,
       .fallback = "0.5; with --max-drop, or without a limit, 0.7",
       .help = "share of the run after which the limits are met",
       .commands = kCompress},
      {.name = "cut-at",
       .field = &S::cut_at,
       .unit = "SHARE",
       .range = Range{.low = 0, .high = 1, .low_open = true},
       .help = "share of the run after which the gates leave",
       .commands = kCompress},
      {.name = "inputs",
       .field = &S::inputs,
       .help = "let input features leave too, where no layer needs to read them",
       .commands = kCompress},
      {.name = "unfold",
       .field = &S::unfold,
       .unit = "WHEN",
       .choices = {"auto", "always", "never"},
       .help = "put batch normalisation back where the file folded it into convolutions",
       .commands = kCompress},

      {.name = "normalise",
       .field = &S::normalise,
       .unit = "TEXT",
       .fallback = "MODEL.json beside the model, else scale=1/255 for bytes",
       .help = "what inputs go through, as \"scale=1/255 mean=0.5 std=0.25\"",
       .commands = kDescribesData},
      {.name = "label-column",
       .field = &S::label_column,
       .unit = "COLUMN",
       .fallback = "the last",
       .help = "name or index of a CSV file's label",
       .commands = kDescribesData},
      {.name = "resize",
       .field = &S::resize,
       .unit = "SIZE",
       .fallback = "MODEL.json beside the model, else as they are",
       .help = "images are resized: 256 for the shorter side, 240x320 for height and width",
       .commands = kDescribesData},
      {.name = "crop",
       .field = &S::crop,
       .unit = "SIZE",
       .fallback = "MODEL.json beside the model, else none",
       .help = "then cropped around the centre: 224 or 240x320",
       .commands = kDescribesData},
      {.name = "channels",
       .field = &S::channels,
       .unit = "ORDER",
       .choices = {"rgb", "bgr", "grey"},
       .fallback = "MODEL.json beside the model, else rgb",
       .help = "what the channels of images are",
       .commands = kDescribesData},
      {.name = "layout",
       .field = &S::layout,
       .unit = "AXES",
       .choices = {"chw", "hwc"},
       .fallback = "MODEL.json beside the model, else chw",
       .help = "the axes of one image",
       .commands = kDescribesData},
      {.name = "units",
       .field = &S::units,
       .unit = "FILE",
       .help = "which units go: JSON, {\"GROUP\": [POSITION, ...]}, groups as inspect names them",
       .commands = {"cut"},
       .need = Need::one_of},
      {.name = "random",
       .field = &S::random,
       .unit = "SHARE",
       .range = kShare,
       .help = "how many of the units go, drawn at random",
       .commands = {"cut"},
       .need = Need::one_of},
      {.name = "subsets",
       .field = &S::subsets,
       .unit = "N",
       .range = kSubsets,
       .help = "random sets of units that are tried for each network",
       .commands = {"conformance"}},
      {.name = "group",
       .field = &S::group,
       .unit = "NAME",
       .help = "one group in full, or with --dot the only one that gets a colour",
       .commands = {"inspect"}},
      {.name = "dot",
       .field = &S::dot,
       .help = "draw the network for Graphviz: nodes by group, what stays in grey",
       .commands = {"inspect"}},
      {.name = "shape",
       .field = &S::shape,
       .unit = "CxHxW",
       .fallback = "as data and model say",
       .help = "of one sample, as 1x8x8",
       .commands = {"compress", "train", "eval", "inspect", "cut", "convert", "measure", "advise",
                    "phases"}},
      {.name = "keep-epochs",
       .field = &S::keep_epochs,
       .help = "keep the network of every epoch in the folder epochs, for crrm measure "
               "--checkpoints",
       .commands = kRuns},
      {.name = "price-per-hour",
       .field = &S::price_per_hour,
       .unit = "PRICE",
       .range = kNonNegative,
       .help = "of this machine: the report then says what the run cost",
       .commands = kRuns},

      {.name = "config",
       .field = &S::config,
       .unit = "FILE",
       .help = "options from a TOML file, such as a run's config.toml; the command line wins",
       .commands = {"compress", "train", "measure", "phases"},
       .configures = false},
      {.name = "force",
       .field = &S::force,
       .help = "replace the files of an earlier run",
       .commands = {"compress", "train", "convert", "cut", "measure", "phases"},
       .configures = false},
      {.name = "dry-run",
       .field = &S::dry_run,
       .help = "check everything, say what would happen, write nothing",
       .commands = {"compress", "train", "measure"},
       .configures = false},
      {.name = "md",
       .field = &S::markdown,
       .help = "print a table for a pull request, write nothing",
       .commands = {"report"},
       .configures = false},
      {.name = "json",
       .field = &S::json,
       .help = "print one JSON document",
       .commands = {"compress", "train", "resume", "eval", "inspect", "convert", "report", "cut",
                    "conformance", "bench", "selftest", "measure", "phases", "advise"},
       .configures = false},
      {.name = "progress",
       .field = &S::progress,
       .unit = "HOW",
       .choices = {"auto", "bar", "lines", "json", "off"},
       .help = "how progress shows on stderr",
       .commands = {"compress", "train", "resume", "bench", "measure"},
       .configures = false},
      {.name = "quiet",
       .letter = "q",
       .field = &S::quiet,
       .help = "print errors only on stderr",
       .commands = {"compress", "train", "resume", "eval", "bench", "measure", "phases"},
       .configures = false},
      {.name = "verbose",
       .letter = "v",
       .field = &S::verbose,
       .help = "print the log on stderr",
       .commands = {"compress", "train", "resume", "bench"},
       .configures = false},
      {.name = "help",
       .letter = "h",
       .field = &S::help,
       .help = "print this",
       .commands = command_names(),
       .configures = false},
  };
}

[[noreturn]] void reject(const Option& option, const std::string& text, const std::string& origin,
                         const std::string& expected, const std::string& hint = "") {
  throw InputError(
      {.file = origin, .expected = expected, .found = "\"" + text + "\"", .hint = hint});
}

std::string expected_number(const Option& option, const std::string& kind) {
  return option.range ? fmt::format("{} {}", kind, describe(*option.range)) : kind;
}

template <typename Number>
Number parse_number(const Option& option, const std::string& text, const std::string& origin) {
  const std::string kind = std::is_integral_v<Number> ? "a whole number" : "a number";
  Number number = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, number);
  const bool complete = parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
  const double real = static_cast<double>(number);
  if (!complete || !std::isfinite(real) || (option.range && !option.range->contains(real)))
    reject(option, text, origin, expected_number(option, kind));
  return number;
}

bool parse_switch(const Option& option, const std::string& text, const std::string& origin) {
  if (text == "true") return true;
  if (text == "false") return false;
  reject(option, text, origin, "true or false");
}

std::string parse_text(const Option& option, const std::string& text, const std::string& origin) {
  if (!option.amounts.empty()) parse_amount(text, origin, option.amounts);
  const std::vector<std::string>& choices = option.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end())
    return text;
  reject(option, text, origin, fmt::format("one of {}", fmt::join(choices, ", ")),
         suggestion(text, choices));
}

template <typename T>
T parse(const Option& option, const std::string& text, const std::string& origin) {
  if constexpr (std::is_same_v<T, std::string>)
    return parse_text(option, text, origin);
  else if constexpr (std::is_same_v<T, bool>)
    return parse_switch(option, text, origin);
  else
    return parse_number<T>(option, text, origin);
}

template <typename T>
struct Plain {
  using Type = T;
};
template <typename T>
struct Plain<std::optional<T>> {
  using Type = T;
};

Json json_of(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
template <typename T>
Json json_of(const std::optional<T>& maybe) {
  return maybe ? Json(*maybe) : Json();
}
template <typename T>
Json json_of(const T& plain) {
  return plain;
}

std::string invocation(const Option& option) {
  if (option.positional) return option.unit;
  std::string text = "--" + option.name;
  if (std::holds_alternative<std::optional<bool> Settings::*>(option.field))
    text += ", --no-" + option.name;
  if (!option.letter.empty()) text = "-" + option.letter + ", " + text;
  return option.unit.empty() ? text : text + " " + option.unit;
}

}  // namespace

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string describe(const Range& range) {
  if (std::isinf(range.high)) return fmt::format("{} {}", range.low_open ? ">" : ">=", range.low);
  return fmt::format("in {}{}, {}{}", range.low_open ? '(' : '[', range.low, range.high,
                     range.high_open ? ')' : ']');
}

const std::vector<Option>& options() {
  static const std::vector<Option> all = table();
  return all;
}

std::vector<const Option*> options_of(const std::string& command) {
  std::vector<const Option*> result;
  for (const Option& option : options())
    if (std::find(option.commands.begin(), option.commands.end(), command) != option.commands.end())
      result.push_back(&option);
  return result;
}

bool is_switch(const Option& option) {
  return option.unit.empty();
}

std::string default_text(const Option& option) {
  if (!option.fallback.empty()) return option.fallback;
  const Json standard = value(Settings{}, option);
  if (standard.is_null() || standard.is_boolean()) return "";
  return standard.is_string() ? standard.get<std::string>() : standard.dump();
}

void set(Settings& settings, const Option& option, const std::string& text,
         const std::string& origin) {
  std::visit(
      [&](auto member) {
        using T = typename Plain<std::remove_reference_t<decltype(settings.*member)>>::Type;
        settings.*member = parse<T>(option, text, origin);
      },
      option.field);
}

Json value(const Settings& settings, const Option& option) {
  return std::visit([&](auto member) { return json_of(settings.*member); }, option.field);
}

Json values(const Settings& settings, const std::string& command) {
  Json result = Json::object();
  for (const Option* option : options_of(command))
    if (option->configures)
      if (Json now = value(settings, *option); !now.is_null())
        result[option->name] = std::move(now);
  return result;
}

std::string reference() {
  std::string text =
      "# Options\n\nMade from the program's table of options by `crrm reference`; a test compares "
      "the two.\n";
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    text += fmt::format(
        "\n## crrm {}\n\n{}.\n\n    {}\n\n| option | values | default | meaning |\n"
        "|---|---|---|---|\n",
        command.name, command.summary, usage(command));
    for (const Option* option : options_of(command.name)) {
      std::string values;
      if (option->range) values = describe(*option->range);
      if (!option->choices.empty()) values = fmt::format("{}", fmt::join(option->choices, ", "));
      text += fmt::format("| `{}` | {} | {} | {} |\n", invocation(*option), values,
                          default_text(*option), option->help);
    }
  }
  return text;
}

}  // namespace crrm::cli
