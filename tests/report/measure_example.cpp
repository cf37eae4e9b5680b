#include "measure_example.h"

#include <fmt/format.h>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kEpochs = 3;
constexpr const char* kLayers[] = {"input", "conv1", "conv2", "fc1", "fc2"};

/// A sound estimate whose interval is `error` of its value to either side; none where error = 0.
Json estimate(const char* family, const char* measure, double value, double error,
              const char* unit) {
  return {{"family", family},
          {"measure", measure},
          {"value", value},
          {"low", error > 0 ? Json(value * (1 - error)) : Json()},
          {"high", error > 0 ? Json(value * (1 + error)) : Json()},
          {"unit", unit},
          {"samples", 2000},
          {"validity", "ok"},
          {"reason", ""},
          {"assumptions", "samples drawn independently"},
          {"source", "Facco et al. 2017, equation 5"},
          {"details", {{"k", 5}, {"duplicates", 12}}}};
}

void doubt(Json& estimate, const char* validity, const char* reason) {
  estimate["validity"] = validity;
  estimate["reason"] = reason;
}

void refuse(Json& estimate, const char* validity, const char* reason) {
  doubt(estimate, validity, reason);
  estimate["value"] = estimate["low"] = estimate["high"] = nullptr;
}

/// At `place` of the five, `progress` from 0 to 1 over epochs.
Json estimates(int place, double progress) {
  const double depth = place / 4.0;
  Json all = Json::array(
      {estimate("dimension", "TwoNN", 13 + 20 * depth * (1 - depth) - 6 * depth * progress, 0.06,
                "dimensions"),
       estimate("dimension", "GRIDE plateau", 12 + 18 * depth * (1 - depth) - 5 * depth * progress,
                0.04, "dimensions"),
       estimate("capacity", "manifold capacity", 0.04 + 0.31 * depth * progress, 0.03, ""),
       estimate("spectrum", "participation ratio", 3.25 + 700 * depth * depth, 0, "dimensions"),
       estimate("information", "I(T;Y)", 0.9 + 1.3 * progress * (1 - depth / 3), 0.02, "nats")});
  for (const double n1 : {1.0, 16.0}) {
    all.push_back(estimate("dimension", "GRIDE", 12 + 8 * depth - n1 / 8, 0.05, "dimensions"));
    all.back()["details"]["n1"] = n1;
  }
  if (place == 0) refuse(all[2], "out of range", "the samples are fewer than two per class");
  if (progress == 1 && place == 1) doubt(all[0], "ties", "8 % of the samples have an equal");
  if (progress == 1 && place == 3)
    refuse(all[0], "too few samples", "more than half of the samples are equal");
  return all;
}

Json layer(int place, double progress) {
  const int channels = 16 << place;
  return {{"name", kLayers[place]},
          {"op", place == 0 ? "Input" : "Relu"},
          {"shape", {channels, 8, 8}},
          {"features", channels * 64},
          {"projected", channels * 64 > 4096 ? Json(4096) : Json()},
          {"estimates", estimates(place, progress)}};
}

}  // namespace

Json measure_example() {
  Json epochs = Json::array();
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    Json layers = Json::array();
    for (int place = 0; place < 5; ++place) layers.push_back(layer(place, epoch / (kEpochs - 1.0)));
    epochs.push_back({{"name", fmt::format("epoch-{}.onnx", 10 * epoch)},
                      {"epoch", 10 * epoch},
                      {"layers", layers}});
  }
  return {
      {"schema_version", 1},
      {"kind", "measure"},
      {"crrm", {{"version", "0.1.0"}, {"commit", "60904b5"}}},
      {"command", {"crrm", "measure", "lenet.onnx", "--data", "mnist", "--checkpoints", "epochs"}},
      {"config", {{"samples", 2000}, {"measures", ""}}},
      {"seed", 0},
      {"machine",
       {{"cpu", "a processor"},
        {"threads", 2},
        {"memory_bytes", 8000000000},
        {"gpu", nullptr},
        {"libtorch", "2.7.1"}}},
      {"data", {{"path", "data/mnist"}, {"part", "test"}, {"sha256", "ab12"}}},
      {"model", {{"path", "models/lenet.onnx"}, {"sha256", "cd34"}}},
      {"samples", 2000},
      {"classes", 10},
      {"epochs", epochs},
      {"seconds", {{"total", 61.5}, {"capture", 4.25}, {"dimension", 20.5}}},
      {"warnings", Json::array()},
      {"partial", false}};
}

}  // namespace crrm
