#include "example.h"

#include <fmt/format.h>

#include <cmath>

namespace crrm {

namespace {

using Json = nlohmann::ordered_json;

Json latency(const char* runtime, int threads, double median) {
  return {{"runtime", runtime}, {"threads", threads},      {"batch", 1},
          {"median", median},   {"iqr", median * 0.03125}, {"samples", 30}};
}

Json stage(const char* name, double held_out, Json test, uint64_t params, uint64_t macs,
           double speed) {
  Json interval;
  if (test.is_number()) interval = {test.get<double>() - 0.0055, test.get<double>() + 0.0053};
  return {
      {"name", name},
      {"metric",
       {{"name", "accuracy"}, {"held_out", held_out}, {"test", test}, {"test_interval", interval}}},
      {"outputs", Json::array()},
      {"params", params},
      {"macs", macs},
      {"bytes", params * 4 + 21000},
      {"latency_ms",
       {latency("crrm", 1, 4.25 * speed), latency("crrm", 2, 2.75 * speed),
        latency("onnxruntime", 1, 2.5 * speed)}}};
}

Json stages() {
  return {stage("dense", 0.9204, 0.9173, 272474, 40812345, 1),
          stage("masked", 0.8996, nullptr, 272474, 40812345, 1),
          stage("cut", 0.8996, nullptr, 168660, 20324548, 0.5625),
          stage("recalibrated", 0.9008, nullptr, 168660, 20324548, 0.5625),
          stage("final", 0.9084, 0.9052, 168660, 20324548, 0.5625)};
}

Json curve() {
  Json points = Json::array();
  for (int i = 0; i < 60; ++i) {
    const double t = i / 59.0;
    const double goal = 40.8e6 - 20.4e6 * std::min(1.0, 1.3 * t);
    points.push_back({{"step", 50 * i},
                      {"epoch", 8 * t},
                      {"loss", 0.04 + 0.2 * t * t},
                      {"held_out_metric", nullptr},
                      {"averaged_metric", nullptr},
                      {"lowest_metric", nullptr},
                      {"cost", goal + 4e5 * std::sin(9 * t)},
                      {"goal_cost", goal},
                      {"beta", i == 0 ? Json() : Json(1e-6 * std::exp(9 * t))},
                      {"rate_nats", 2600 - 1700 * t},
                      {"distortion_mean", 0.4 * t},
                      {"learning_rate", 0.1 * (1 - t)}});
    if (i % 4 == 0)
      points.back()["held_out_metric"] = 0.9204 - 0.0208 * t + 0.002 * std::sin(40 * t);
  }
  return points;
}

Json layer(const std::string& name, std::vector<int> before, std::vector<int> after,
           Json frozen = nullptr) {
  return {{"name", name}, {"before", before}, {"after", after}, {"frozen", frozen}};
}

struct Stage {
  int width;
  int stream;              // channels of the stream that are left
  std::vector<int> inner;  // of each block's inner channels
};

const std::vector<Stage> kNetwork = {
    {16, 15, {5, 6, 8}}, {32, 31, {26, 13, 8}}, {64, 61, {61, 37, 42}}};

Json layers() {
  Json all = {layer("conv1", {16, 3, 3, 3}, {15, 3, 3, 3})};
  for (size_t s = 0; s < kNetwork.size(); ++s)
    for (size_t b = 0; b < 3; ++b) {
      const Stage& now = kNetwork[s];
      const Stage& from = kNetwork[b == 0 && s > 0 ? s - 1 : s];
      const std::string name = fmt::format("layer{}.{}.", s + 1, b);
      all.push_back(
          layer(name + "conv1", {now.width, from.width, 3, 3}, {now.inner[b], from.stream, 3, 3}));
      all.push_back(
          layer(name + "conv2", {now.width, now.width, 3, 3}, {now.stream, now.inner[b], 3, 3}));
    }
  all.push_back(layer("linear", {10, 64}, {10, 61}, "its outputs are the model's"));
  return all;
}

Json group(const std::string& name, int kept, int of, std::vector<std::string> members,
           Json frozen = nullptr) {
  return {{"name", name},
          {"kept", kept},
          {"of", of},
          {"units_cost_params", 18.0 * of},
          {"units_cost_macs", 18.0 * of * 256},
          {"members", members},
          {"frozen", frozen}};
}

Json groups() {
  Json all = Json::array();
  for (size_t s = 0; s < kNetwork.size(); ++s) {
    const Stage& now = kNetwork[s];
    all.push_back(group(fmt::format("stream {}", s + 1), now.stream, now.width,
                        {fmt::format("layer{}.0.conv2.weight[0]", s + 1),
                         fmt::format("layer{}.1.conv1.weight[1]", s + 1)}));
    for (size_t b = 0; b < 3; ++b)
      all.push_back(group(fmt::format("layer{}.{}.conv1", s + 1, b), now.inner[b], now.width,
                          {fmt::format("layer{}.{}.conv1.weight[0]", s + 1, b),
                           fmt::format("layer{}.{}.conv2.weight[1]", s + 1, b)}));
  }
  all.push_back(group("linear", 10, 10, {"linear.weight[0]", "linear.bias[0]"},
                      "its outputs are the model's"));
  return all;
}

Json proof(const char* what, double difference, double bound, const char* runtime) {
  return {{"what", what},
          {"max_abs_diff", difference},
          {"max_rel_diff", difference / 16},
          {"bound", bound},
          {"inputs", 64},
          {"runtime", runtime},
          {"ok", difference <= bound}};
}

/// Of a million samples. @param latency  ms
Json inference(const char* stage, double latency) {
  const double seconds = 1000 * latency;
  return {{"stage", stage},    {"runtime", "onnxruntime"}, {"threads", 1},
          {"batch", 1},        {"seconds", seconds},       {"core_hours", seconds / 3600},
          {"joules", nullptr}, {"total", nullptr}};
}

}  // namespace

Json example_report() {
  const std::string hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  return {{"schema_version", 1},
          {"crrm", {{"version", "0.1.0"}, {"commit", "b0cbd7f"}}},
          {"command", {"crrm", "compress", "resnet20.onnx", "--data", "cifar10", "--macs", "50%"}},
          {"config",
           {{"macs", "50%"},
            {"epochs", 8},
            {"batch", 128},
            {"optimizer", {{"name", "sgd"}, {"learning_rate", 0.1}, {"momentum", 0.9}}},
            {"distill", true},
            {"output", "resnet20-crrm"}}},
          {"seed", 0},
          {"machine",
           {{"cpu", "AMD EPYC 7763"},
            {"threads", 2},
            {"memory_bytes", 16777216000},
            {"gpu", nullptr},
            {"libtorch", "2.13.0"}}},
          {"data",
           {{"path", "cifar10"},
            {"samples", {{"train", 47500}, {"held_out", 2500}, {"test", 10000}}},
            {"sha256", hash},
            {"split", "5 % of each class, seed 0"}}},
          {"model", {{"path", "models/resnet20.onnx"}, {"sha256", hash}, {"unfolded", true}}},
          {"goals",
           {{{"kind", "macs"},
             {"limit", 20406172.0},
             {"limit_text", "50%"},
             {"reached", 20324548},
             {"interval", nullptr},
             {"met", true}}}},
          {"stages", stages()},
          {"curve", curve()},
          {"groups", groups()},
          {"layers", layers()},
          {"proof",
           {proof("masked vs cut", 1.25e-6, 1e-5, "crrm"),
            proof("cut vs file read back", 0, 1e-6, "crrm"),
            proof("file in ONNX Runtime", 3.5e-6, 1e-4, "onnxruntime 1.20")}},
          {"files", Json::array({{{"path", "model.onnx"}, {"sha256", hash}, {"bytes", 695640}}})},
          {"seconds", {{"total", 3725.0}, {"train", 3510.5}, {"evaluate", 151.2}, {"prove", 3.4}}},
          {"cost",
           {{"seconds", 3744.0},
            {"core_hours", 1.9375},
            {"joules", nullptr},
            {"price_per_hour", nullptr},
            {"total", nullptr},
            {"inference", {inference("dense", 2.5), inference("final", 1.40625)}}}},
          {"warnings",
           Json::array({"latency varied by more than 3 %: other programs may have run beside it"})},
          {"partial", false}};
}

}  // namespace crrm
