// What a checkpoint holds of a run.
#include "crrm/base/error.h"
#include "crrm/train/run_state.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kNetwork[] = "network/", kOptimizer[] = "optimizer/";

[[noreturn]] void damaged(const std::string& what) {
  throw InputError({.place = "checkpoint",
                    .expected = "the state of a run",
                    .found = what,
                    .hint = "it is damaged or of another version: start the run again"});
}

}  // namespace

/// A copy: training goes on.
TensorFile Run::State::weights() const {
  TensorFile file;
  add_prefixed(file, kNetwork, network.state());
  add_prefixed(file, kOptimizer, optimizer_.state());
  for (auto& [name, tensor] : file.tensors) tensor = tensor.clone();
  return file;
}

void Run::State::load_weights(const TensorFile& file) {
  network.load(with_prefix(file, kNetwork));
  optimizer_.load(learned_tensors(network.gated()), with_prefix(file, kOptimizer));
}

TensorFile Run::State::checkpoint() const {
  TensorFile file;
  add_prefixed(file, kNetwork, network.state());
  add_prefixed(file, kOptimizer, optimizer_.state());
  Json stages = Json::array();
  for (const Stage& stage : stages_) {
    stages.push_back({{"name", stage.name}, {"held_out", to_json(stage.held_out)}});
    if (stage.name == "cut" || stage.name == "recalibrated")
      add_prefixed(file, "stage/" + stage.name + "/", stage.graph.parameters);
  }
  Json state = {{"epoch", epoch_},
                {"step_in_epoch", step_in_epoch_},
                {"ramp_done", ramp_done_},
                {"cut_done", cut_done_},
                {"look_pending", look_pending_},
                {"controlled", controlled_ ? Json(*controlled_) : Json()},
                {"stages", stages},
                {"curve", curve_},
                {"loss_sum", loss_sum_},
                {"loss_count", loss_count_},
                {"last_metric", last_metric_},
                {"seconds", seconds_}};
  if (descent_) descent_->save(file, state);
  file.metadata["state"] = state.dump();
  return file;
}

void Run::State::save() {
  stop_unless_finite();
  if (observer_->save) observer_->save(checkpoint());
  last_save_ = std::chrono::steady_clock::now();
}

void Run::State::resume(const TensorFile& file) try {
  const Json state = Json::parse(file.metadata.at("state"));
  load_weights(file);
  if (descent_) descent_->load(file, state);
  epoch_ = state.at("epoch");
  step_in_epoch_ = state.at("step_in_epoch");
  ramp_done_ = state.at("ramp_done");
  cut_done_ = state.at("cut_done");
  look_pending_ = state.at("look_pending");
  if (!state.at("controlled").is_null()) controlled_ = state.at("controlled").get<double>();
  curve_ = state.at("curve");
  loss_sum_ = state.at("loss_sum");
  loss_count_ = state.at("loss_count");
  last_metric_ = state.at("last_metric");
  seconds_ = state.at("seconds").get<std::map<std::string, double>>();
  for (const Json& entry : state.at("stages")) {
    const std::string name = entry.at("name");
    Stage stage{name, {}, to_evaluation(entry.at("held_out")), std::nullopt};
    if (name == "dense") {
      stage.graph = dense_.graph;
      dense_.held_out = stage.held_out;
    }
    if (name == "cut" || name == "recalibrated") {
      stage.graph = network.plain();
      stage.graph.parameters = with_prefix(file, "stage/" + name + "/");
    }
    stages_.push_back(std::move(stage));
  }
} catch (const std::out_of_range& missing) {
  damaged(missing.what());
} catch (const Json::exception& wrong) {
  damaged(wrong.what());
}

}  // namespace crrm
