// Seconds of one training step, median of runs: plain, with gates, and of one Fisher probe.
//   bench_training_step MODEL.onnx CxHxW CLASSES [BATCH] [THREADS]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>

#include "crrm/bottleneck/water.h"
#include "crrm/graph/shapes.h"
#include "crrm/io/onnx.h"
#include "crrm/train/classification.h"
#include "crrm/train/gated_network.h"
#include "crrm/train/optimizer.h"

namespace {

using namespace crrm;

constexpr int kWarmUp = 5, kRuns = 21;
constexpr double kLearningRate = 0.01, kDistortion = 0.05;

double median_seconds(const std::function<void(int)>& step) {
  std::vector<double> seconds;
  for (int i = 0; i < kWarmUp + kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step(i);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (i >= kWarmUp) seconds.push_back(took.count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
  return seconds[kRuns / 2];
}

Shape parse_shape(const std::string& text) {
  Shape shape;
  for (size_t at = 0; at < text.size();) {
    size_t used = 0;
    shape.push_back(std::stoll(text.substr(at), &used));
    at += used + 1;
  }
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: bench_training_step MODEL.onnx CxHxW CLASSES [BATCH] [THREADS]\n");
    return 2;
  }
  const Shape sample = parse_shape(argv[2]);
  const int64_t classes = std::stoll(argv[3]), batch = argc > 4 ? std::stoll(argv[4]) : 128;
  at::set_num_threads(argc > 5 ? std::stoi(argv[5]) : 2);
  at::globalContext().setFlushDenormal(true);
  Graph graph = read_onnx(argv[1]);
  fold_shape_arithmetic(graph, {sample});
  GatedNetwork network(graph, {sample}, {});
  Optimizer optimizer(learned_tensors(network.gated()), {});
  Shape shape = sample;
  shape.insert(shape.begin(), batch);
  at::Tensor x = at::randn(shape);
  if (x.dim() == 4) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor labels = at::randint(classes, {batch}, at::kLong);
  const at::Tensor distortion = at::full({network.units()}, kDistortion, at::kDouble);
  const Classification task(classes, nullptr, {});
  const auto train = [&](const at::Tensor& gates) {
    const at::Tensor loss = task.loss(network.run({x}, gates, true), {x, labels});
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(kLearningRate);
  };
  fmt::print("plain {:.4f} s\n", median_seconds([&](int) { train({}); }));
  fmt::print("gated {:.4f} s\n", median_seconds([&](int i) {
               train(draw_gates(distortion, batch, static_cast<uint64_t>(i)));
             }));
  fmt::print("probe {:.4f} s\n", median_seconds([&](int i) {
               at::Tensor gates = at::ones({batch, network.units() + 1});
               gates.requires_grad_(true);
               const at::Tensor drawn =
                   task.probe(network.run({x}, gates, false), static_cast<uint64_t>(i));
               network.observe(torch::autograd::grad({drawn}, {gates})[0]);
             }));
  return 0;
}
