#include "phases_example.h"

#include <fmt/format.h>

#include <cmath>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kSeeds = 2, kLayers = 3;
const std::vector<int> kEpochs = {0, 1, 10, 100};

std::string layer_name(int layer) {
  return fmt::format("layer {} of {}", layer + 1, 10 - 2 * layer);
}

Json curve(int layer, int channel, int seed, const std::string& name) {
  Json x = Json::array(), y = Json::array(), low = Json::array(), high = Json::array();
  for (size_t i = 0; i < kEpochs.size(); ++i) {
    const double progress = static_cast<double>(i) / 3;
    x.push_back(8.3 - layer * (0.4 + 1.1 * progress) - channel + 0.05 * seed);
    y.push_back(0.69 * (0.1 + 0.9 * progress) - 0.03 * layer);
    low.push_back(channel == 1 ? Json(x.back().get<double>() - 0.5) : Json());
    high.push_back(channel == 1 ? Json(x.back().get<double>() + 0.25) : Json());
  }
  if (layer + channel + seed == 0) x.back() = nullptr;
  return {{"seed", seed}, {"channel", name}, {"layer", layer_name(layer)}, {"x", x}, {"y", y},
          {"x_low", low}, {"x_high", high}};
}

Json verdict(const Json& channels, bool phase) {
  Json layers = Json::array(), changes = Json::array();
  for (int layer = 0; layer < kLayers; ++layer) {
    layers.push_back({{"layer", layer_name(layer)},
                      {"phase", phase && layer == 2},
                      {"text", phase ? "falls in every channel" : "the sign differs"}});
    for (const Json& channel : channels)
      changes.push_back({{"layer", layer_name(layer)},
                         {"channel", channel["name"]},
                         {"change", -0.125 * layer},
                         {"low", -0.25 * layer},
                         {"high", 0.0625},
                         {"saturated", layer == 0}});
  }
  return {{"phase", phase},
          {"text", phase ? "late fall in layer 3 of 6" : "no layer falls late in every channel"},
          {"layers", layers},
          {"changes", changes}};
}

Json setup(const std::string& name, bool inside, bool phase) {
  const Json channels = {{{"name", inside ? "rounded to multiples of 0.25" : "bins of width 0.1"},
                          {"quantity", inside ? "I(X;T)" : "clustering index"},
                          {"inside", inside},
                          {"parameter", 0.1}},
                         {{"name", "noise of deviation 0.01"},
                          {"quantity", "clustering index"},
                          {"inside", false},
                          {"parameter", 0.01}}};
  Json layers = Json::array(), curves = Json::array();
  for (int layer = 0; layer < kLayers; ++layer) layers.push_back(layer_name(layer));
  for (int seed = 0; seed < kSeeds; ++seed)
    for (int channel = 0; channel < 2; ++channel)
      for (int layer = 0; layer < kLayers; ++layer)
        curves.push_back(
            curve(layer, channel, seed, channels[static_cast<size_t>(channel)]["name"]));
  return {{"name", name},
          {"meaning", "12-10-8-6, on all inputs of 12 bits"},
          {"layers", layers},
          {"epochs", kEpochs},
          {"samples", 4096},
          {"channels", channels},
          {"curves", curves},
          {"accuracy", {0.5, 0.75, 0.875, 0.9375}},
          {"verdict", verdict(channels, phase)}};
}

}  // namespace

Json phases_example() {
  return {{"schema_version", 1},
          {"kind", "phases"},
          {"crrm", {{"version", "0.1.0"}, {"commit", "60904b5"}}},
          {"command", {"crrm", "phases", "tanh", "quantised"}},
          {"config", {{"seeds", 2}}},
          {"seed", 0},
          {"machine",
           {{"cpu", "a processor"},
            {"threads", 2},
            {"memory_bytes", 8000000000},
            {"gpu", nullptr},
            {"libtorch", "2.7.1"}}},
          {"setups", {setup("tanh", false, false), setup("quantised", true, true)}},
          {"controls", Json::array({setup("untrained", false, false)})},
          {"seconds", {{"total", 40.5}}},
          {"warnings", Json::array()},
          {"partial", false}};
}

}  // namespace crrm
