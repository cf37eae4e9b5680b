#include "crrm/train/task.h"

#include <ATen/core/grad_mode.h>

#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/base/normal.h"
#include "crrm/surgery/batch_norm.h"

namespace crrm {

namespace {

/// The same function, as fast as inference goes.
Graph for_inference(Graph graph) {
  fold_batch_norm(graph);
  for (auto& [name, tensor] : graph.parameters)
    if (tensor.dim() == 4 && tensor.is_floating_point())
      tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  return graph;
}

}  // namespace

nlohmann::ordered_json to_json(const std::vector<OutputAgreement>& outputs) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const OutputAgreement& output : outputs) {
    all.push_back({{"name", output.name},
                   {"relative_error", output.relative_error},
                   {"top1_agreement", nullptr}});
    if (output.top1) all.back()["top1_agreement"] = *output.top1;
  }
  return all;
}

std::vector<OutputAgreement> to_agreements(const nlohmann::ordered_json& outputs) {
  std::vector<OutputAgreement> all;
  for (const nlohmann::ordered_json& output : outputs) {
    all.push_back({output.at("name"), output.at("relative_error")});
    if (const auto& top1 = output.at("top1_agreement"); !top1.is_null())
      all.back().top1 = top1.get<double>();
  }
  return all;
}

nlohmann::ordered_json to_json(const Evaluation& e) {
  return {{"metric", e.metric}, {"loss", e.loss}, {"samples", e.samples},
          {"low", e.low},       {"high", e.high}, {"outputs", to_json(e.outputs)}};
}

Evaluation to_evaluation(const nlohmann::ordered_json& j) {
  return {.metric = j.at("metric"),
          .loss = j.at("loss"),
          .samples = j.at("samples"),
          .low = j.at("low"),
          .high = j.at("high"),
          .outputs = to_agreements(j.at("outputs"))};
}

Evaluation Task::evaluate(const Graph& graph, const Dataset& data,
                          const Normalisation& normalisation, int64_t batch) const {
  const Executor executor(graph);
  return evaluate([&](const at::Tensor& x) { return executor.run({x}); }, data, normalisation,
                  batch);
}

std::pair<double, double> share_interval(double share, int64_t samples) {
  const double n = static_cast<double>(samples);
  constexpr double z = kNormal975;
  const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half =
      z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

void for_each_batch(const Dataset& data, const Normalisation& normalisation, int64_t batch,
                    const std::function<void(const Batch&)>& work) {
  const at::NoGradGuard no_grad;
  for (int64_t first = 0; first < data.size(); first += batch) {
    throw_if_interrupted();
    work(take(data, normalisation, first, std::min(batch, data.size() - first),
              /*channels_last=*/true));
  }
}

void require_finite(double loss, const Dataset& data) {
  if (std::isfinite(loss)) return;
  throw InputError({.file = data.source,
                    .place = "evaluation",
                    .expected = "finite outputs",
                    .found = "NaN or infinity in the network's output"});
}

Teacher::Teacher(const Graph& network, at::Device device)
    : executor_(to(for_inference(network), device)) {}

Tensors Teacher::operator()(const at::Tensor& inputs) const {
  const at::NoGradGuard no_grad;
  return executor_.run({inputs});
}

}  // namespace crrm
