#include "crrm/cli/subject.h"

#include "crrm/architectures/architecture.h"
#include "crrm/architectures/fresh_weights.h"
#include "crrm/architectures/weights.h"
#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/cli/task.h"
#include "crrm/coupling/inputs.h"
#include "crrm/surgery/batch_norm.h"

namespace crrm::cli {

namespace {

/// What was read beside the model becomes part of the run's own configuration.
void resolve(Settings& settings, const InputDescription& inputs,
             const Normalisation& normalisation) {
  settings.normalise = to_text(normalisation);
  settings.label_column = inputs.label_column;
  settings.shape = fmt::format("{}", fmt::join(inputs.shape, "x"));
  settings.resize = fmt::format("{}", fmt::join(inputs.resize, "x"));
  settings.crop = fmt::format("{}", fmt::join(inputs.crop, "x"));
  settings.channels = inputs.channels;
  settings.layout = inputs.layout;
}

/// What --task auto means here.
std::string resolved_task(const Settings& settings, const Origin& origin, bool labelled) {
  if (settings.task != "auto") return settings.task;
  if (origin.file.empty() && find_architecture(settings.architecture).reconstructs)
    return "reconstruct";
  return origin.compresses && !labelled ? "distill" : "classify";
}

void require_held_out(const RunData& data, const std::string& source) {
  if (data.held_out.size() > 0) return;
  throw InputError({.file = source,
                    .place = "held-out data",
                    .expected = "at least one sample",
                    .found = fmt::format("none of {} samples", data.train.size()),
                    .hint = "choose a larger --held-out"});
}

void require_labels(const RunData& data, const std::string& source) {
  if (data.train.labelled()) return;
  throw InputError({.file = source,
                    .expected = "data with labels",
                    .found = "inputs alone",
                    .hint = "crrm compress --task distill needs none"});
}

}  // namespace

Origin origin(const Settings& settings, const std::string& command) {
  const bool compresses = command == "compress";
  Origin origin{.compresses = compresses,
                .name = compresses ? settings.model : settings.architecture,
                .file = {},
                .trained = compresses || !settings.weights.empty()};
  if (compresses || is_network_file(settings.architecture)) origin.file = origin.name;
  return origin;
}

int64_t samples_at_once(const Dataset& data, int64_t most, int64_t values) {
  return std::clamp<int64_t>(values * data.size() / data.inputs.numel(), 1,
                             std::min(most, data.size()));
}

Subject::Subject(Settings& settings, const Origin& origin, const Say& say) {
  read(settings, origin);
  prepare(settings, origin, say);
  naming(origin.name, [&] {
    coupling = std::make_unique<Coupling>(
        network, infer_shapes(network, input_shapes(network, kCouplingBatch, {sample()})));
  });
}

void Subject::read(Settings& settings, const Origin& origin) {
  const std::string& file = origin.file;
  const InputDescription inputs = describe_inputs(settings, file);
  if (!file.empty()) dense = load_model(file);
  data = load_run_data(settings, inputs, file.empty() ? nullptr : &dense);
  require_held_out(data, settings.data);
  known_normalisation = !settings.normalise.empty() || inputs.normalisation;
  resolve(settings, inputs, data.normalisation);
  task = resolved_task(settings, origin, data.train.labelled());
  if (task == "classify") require_labels(data, settings.data);
  if (!file.empty()) {
    reversal.batch = fit_model(dense, file, data);
    model_sha256 = sha256_file(file);
    return;
  }
  dense = build(settings.architecture, sample(), data.train.classes,
                static_cast<uint64_t>(settings.seed));
  if (!settings.weights.empty())
    set_weights(dense, read_weights(settings.weights), settings.weights);
}

void Subject::prepare(const Settings& settings, const Origin& origin, const Say& say) {
  network = clone(dense);
  reversal.sample = sample();
  if (!origin.file.empty()) unfold(settings, origin.file, say);
  if (!origin.compresses && !origin.file.empty())
    draw_fresh_weights(network, {sample()}, static_cast<uint64_t>(settings.seed));
  if (!settings.inputs) return;
  gate_inputs(network, {sample()});
  reversal.inputs = true;
}

void Subject::unfold(const Settings& settings, const std::string& file, const Say& say) {
  if (settings.unfold == "never") return;
  const std::vector<std::string> convolutions = folded_convolutions(network);
  if (convolutions.empty()) {
    if (settings.unfold == "always")
      throw InputError({.file = file,
                        .place = "--unfold always",
                        .expected = "convolutions with a bias and no BatchNormalization",
                        .found = "none"});
    return;
  }
  constexpr int64_t kMost = 2048, kMostValues = int64_t{1} << 25;
  const int64_t samples = samples_at_once(data.train, kMost, kMostValues);
  naming(file, [&] {
    unfold_batch_norm(network, convolutions,
                      take(data.train, data.normalisation, 0, samples, true).inputs);
  });
  reversal.batch_norm = true;
  say(fmt::format("unfold: batch normalisation put back behind {} convolutions, from {} samples",
                  convolutions.size(), samples));
}

}  // namespace crrm::cli
