#include "crrm/phases/information_plane.h"

#include <nlohmann/json.hpp>

#include "crrm/activations/capture.h"
#include "crrm/base/error.h"
#include "crrm/base/random.h"
#include "crrm/phases/late_change.h"
#include "crrm/phases/training.h"

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

/// What was seen along one training.
struct Curve {
  int64_t seed;
  size_t channel;
  std::string layer;
  std::vector<PlanePoint> points;  ///< one a snapshot
};

class Plane {
 public:
  explicit Plane(const Setup& setup);

  void add_training(int64_t number, uint64_t seed);
  Json to_json() const;

 private:
  void look(const Snapshot& snapshot, int64_t number);
  void add(int64_t number, size_t channel, const std::string& value, const PlanePoint& point);
  std::vector<LayerVerdict> verdicts(Json& changes) const;
  std::vector<std::vector<double>> heights(const std::string& layer, size_t channel) const;

  const Setup& setup_;
  std::vector<Layer> layers_;                  ///< all but the input, as first seen
  std::map<std::string, std::string> titles_;  ///< by name of a layer
  std::vector<Curve> curves_;
  std::vector<std::vector<double>> accuracy_;  ///< [snapshots][seeds]
  size_t snapshot_ = 0;
};

std::vector<Layer> layers_of(const Graph& network, const Setup& setup) {
  const Shape sample = setup.observed.inputs.sizes().slice(1).vec();
  std::vector<Layer> layers = usual_layers(network, sample);
  std::erase_if(layers, [](const Layer& layer) { return layer.op == "Input"; });
  if (setup.channels[0].inside()) layers.pop_back();  // the outputs pass through no channel
  return layers;
}

std::vector<std::string> names_of(const std::vector<Layer>& layers) {
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.name);
  return names;
}

Plane::Plane(const Setup& setup)
    : setup_(setup),
      layers_(layers_of(setup.network(0), setup)),
      accuracy_(snapshot_epochs(setup).size()) {
  for (size_t i = 0; i < layers_.size(); ++i)
    titles_[layers_[i].name] = fmt::format("layer {} of {}", i + 1, layers_[i].features);
}

/// @param value  the layer's name in the graph
void Plane::add(int64_t number, size_t channel, const std::string& value, const PlanePoint& point) {
  const std::string& layer = titles_.at(value);
  const auto same = [&](const Curve& curve) {
    return curve.seed == number && curve.channel == channel && curve.layer == layer;
  };
  auto curve = std::find_if(curves_.begin(), curves_.end(), same);
  if (curve == curves_.end()) curve = curves_.insert(curve, {number, channel, layer, {}});
  curve->points.push_back(point);
}

void Plane::look(const Snapshot& snapshot, int64_t number) {
  accuracy_[snapshot_++].push_back(snapshot.accuracy);
  for (const auto& [layer, rate] : snapshot.gate_rates)
    add(number, 0, layer, gate_point(rate, snapshot.loss, setup_.data.test.labels));
  if (setup_.macs) return;
  CaptureOptions capture;
  capture.batch = 1000;
  const std::vector<Layer> layers = layers_of(snapshot.network, setup_);
  if (names_of(layers) != names_of(layers_))
    throw InputError({.place = fmt::format("training {}, epoch {}", number + 1, snapshot.epoch),
                      .expected = fmt::format("the layers {}", fmt::join(names_of(layers_), ", ")),
                      .found = fmt::format("{}", fmt::join(names_of(layers), ", "))});
  for_each_layer(snapshot.network, layers, setup_.observed, setup_.data.normalisation, capture,
                 [&](const Layer& layer, const at::Tensor& activations) {
                   for (size_t c = 0; c < setup_.channels.size(); ++c)
                     add(number, c, layer.name,
                         plane_point(setup_.channels[c], activations, setup_.observed.labels));
                 });
}

/// @param number  what the report calls it
void Plane::add_training(int64_t number, uint64_t seed) {
  snapshot_ = 0;
  train(setup_, seed, [&](const Snapshot& snapshot) { look(snapshot, number); });
}

std::vector<std::vector<double>> Plane::heights(const std::string& layer, size_t channel) const {
  std::vector<std::vector<double>> all;
  for (const Curve& curve : curves_) {
    if (curve.layer != layer || curve.channel != channel) continue;
    all.emplace_back();
    for (const PlanePoint& point : curve.points) all.back().push_back(point.x);
  }
  return all;
}

/// @param changes  gets a row for each layer and channel
std::vector<LayerVerdict> Plane::verdicts(Json& changes) const {
  std::vector<LayerVerdict> all;
  for (const Layer& seen : layers_) {
    const std::string& layer = titles_.at(seen.name);
    std::vector<ChannelChange> sweep;
    for (size_t c = 0; c < setup_.channels.size(); ++c) {
      const PlaneChannel& channel = setup_.channels[c];
      sweep.push_back({channel.name, channel.inside(),
                       late_change(heights(layer, c), ceiling(channel, setup_.observed.size()))});
      const LateChange& change = sweep.back().change;
      changes.push_back({{"layer", layer},
                         {"channel", channel.name},
                         {"change", change.mean},
                         {"low", change.low},
                         {"high", change.high},
                         {"saturated", change.saturated}});
    }
    all.push_back(judge(layer, sweep));
  }
  return all;
}

/// Six digits: what a picture needs.
Json rounded(const std::vector<PlanePoint>& points,
             const std::function<std::optional<double>(const PlanePoint&)>& pick) {
  Json values = Json::array();
  for (const PlanePoint& point : points) {
    const std::optional<double> value = pick(point);
    values.push_back(value ? Json(std::round(*value * 1e6) / 1e6) : Json());
  }
  return values;
}

Json curve_json(const Curve& curve, const std::string& channel) {
  return {{"seed", curve.seed},
          {"channel", channel},
          {"layer", curve.layer},
          {"x", rounded(curve.points, [](const PlanePoint& p) { return p.x; })},
          {"y", rounded(curve.points, [](const PlanePoint& p) { return p.y; })},
          {"x_low", rounded(curve.points, [](const PlanePoint& p) { return p.x_low; })},
          {"x_high", rounded(curve.points, [](const PlanePoint& p) { return p.x_high; })}};
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Json verdict_json(const std::vector<LayerVerdict>& verdicts, const Json& changes, int64_t seeds) {
  Json layers = Json::array();
  bool phase = false;
  for (const LayerVerdict& verdict : verdicts) {
    layers.push_back({{"layer", verdict.layer}, {"phase", verdict.phase}, {"text", verdict.text}});
    phase = phase || verdict.phase;
  }
  return {{"phase", phase},
          {"text", sum_up(verdicts, seeds)},
          {"layers", layers},
          {"changes", changes}};
}

Json Plane::to_json() const {
  Json layers = Json::array(), channels = Json::array();
  Json curves = Json::array(), accuracy = Json::array();
  for (const Layer& layer : layers_) layers.push_back(titles_.at(layer.name));
  for (const PlaneChannel& channel : setup_.channels)
    channels.push_back({{"name", channel.name},
                        {"quantity", channel.quantity()},
                        {"inside", channel.inside()},
                        {"parameter", channel.parameter}});
  for (const Curve& curve : curves_)
    curves.push_back(curve_json(curve, setup_.channels[curve.channel].name));
  for (const std::vector<double>& of_seeds : accuracy_) accuracy.push_back(mean(of_seeds));
  Json changes = Json::array();
  const std::vector<LayerVerdict> judged = verdicts(changes);
  const auto seeds = static_cast<int64_t>(accuracy_[0].size());
  return {{"name", setup_.name},
          {"meaning", setup_.meaning},
          {"layers", layers},
          {"epochs", snapshot_epochs(setup_)},
          {"samples", setup_.observed.size()},
          {"channels", channels},
          {"curves", curves},
          {"accuracy", accuracy},
          {"verdict", verdict_json(judged, changes, seeds)}};
}

}  // namespace

Json information_plane(const Setup& setup, int64_t seeds, uint64_t first,
                       const std::function<void(int64_t training, int64_t of)>& progress) {
  Plane plane(setup);
  const int64_t count = setup.saved ? setup.saved->count : seeds;
  for (int64_t i = 0; i < count; ++i) {
    progress(i, count);
    const auto number = static_cast<uint64_t>(i);
    plane.add_training(i, setup.saved ? number : mix(first, number));
  }
  return plane.to_json();
}

}  // namespace crrm
