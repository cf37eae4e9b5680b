// The one table of options: --help, config.toml, the shell completions and docs/options.md come
// from it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crrm/base/amount.h"

namespace crrm::cli {

/// Every option's value. Which command heeds which is said in the table.
struct Settings {
  std::string model, architecture, input, target, run, shell, topic, grid, family, setups;
  std::string data, output, config;
  bool force = false, inputs = false;
  std::optional<double> max_drop;
  std::string macs, params, size, latency, multiple;
  int64_t epochs = 20, batch = 128;
  double learning_rate = 0.05;
  std::string optimizer = "sgd";
  double momentum = 0.9, weight_decay = 1e-4;
  double distillation = 0.5, temperature = 2;
  std::optional<int64_t> pad;
  std::optional<bool> flip;
  double held_out = 0.05;
  int64_t seed = 0;
  std::optional<int64_t> threads;
  std::string device = "cpu";
  std::string method = "crrm";
  double cut_at = 0.85;
  std::optional<double> gate_power, ramp_end;
  std::string normalise, label_column, shape;
  std::string resize, crop, channels, layout;
  std::string task = "auto", logits, reference, weights;
  std::string unfold = "auto";
  std::optional<double> price_per_hour;
  std::string models, units;
  std::string layers, checkpoints, measures, memory = "2GiB", channel = "sweep";
  int64_t samples = 2000, seeds = 5;
  std::optional<int64_t> setup_epochs;
  bool keep_epochs = false;
  std::optional<double> random;
  int64_t subsets = 20;
  std::string group;
  bool dot = false;
  bool dry_run = false, json = false, quiet = false, verbose = false, markdown = false,
       help = false;
  std::string progress = "auto";
};

using Field = std::variant<std::string Settings::*, int64_t Settings::*, double Settings::*,
                           bool Settings::*, std::optional<int64_t> Settings::*,
                           std::optional<double> Settings::*, std::optional<bool> Settings::*>;

/// What a number may be; both ends are open or closed as said.
struct Range {
  double low, high;
  bool low_open = false, high_open = false;

  bool contains(double value) const;
};
/// "[0, 1)", "> 0", ">= 1"
std::string describe(const Range& range);

/// Whether a command runs without an option.
enum class Need {
  optional,
  required,
  one_of  ///< one of the command's options of this kind is required
};

struct Option {
  std::string name;         ///< without dashes, as config.toml has it
  std::string letter = {};  ///< short form, or ""
  Field field;
  std::string unit = {};  ///< what stands for the value in the help: "FILE", "N"; "" for switches
  std::optional<Range> range = {};
  std::vector<std::string> choices = {};
  std::vector<Amount::Unit> amounts = {};  ///< where the text is an amount: units it may have
  std::string fallback = {};               ///< the default in words where Settings cannot say it
  std::string help;
  std::vector<std::string> commands;
  Need need = Need::optional;
  bool positional = false;
  bool configures = true;  ///< belongs in config.toml; others concern one call only
};

/// All options, in the order in which they are shown.
const std::vector<Option>& options();
std::vector<const Option*> options_of(const std::string& command);

/// Whether the option is a switch: --NAME, and --no-NAME where it has a third state.
bool is_switch(const Option& option);
/// The default as the help shows it; "" for none.
std::string default_text(const Option& option);

/// @param origin  what an error names: "--epochs", "run.toml: line 3"
/// @throws InputError where `text` is no value of the option.
void set(Settings& settings, const Option& option, const std::string& text,
         const std::string& origin);
/// The value; null where it has none.
nlohmann::ordered_json value(const Settings& settings, const Option& option);
/// The options that configure `command`, with values.
nlohmann::ordered_json values(const Settings& settings, const std::string& command);

/// The text of docs/options.md.
std::string reference();

}  // namespace crrm::cli
