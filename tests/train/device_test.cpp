// Runs on a device: on the strict one what the CPU gives bit for bit, on CUDA where there is a GPU
// the same to rounding.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "crrm/base/error.h"
#include "crrm/base/interrupt.h"
#include "crrm/data/split.h"
#include "crrm/io/onnx.h"
#include "crrm/train/classification.h"
#include "crrm/train/distillation.h"
#include "crrm/train/machine.h"
#include "crrm/train/preflight.h"
#include "crrm/train/run.h"
#include "crrm/train/verify.h"
#include "tests/strict_device.h"

namespace crrm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OnDevice : public testing::TestWithParam<const char*> {
 protected:
  OnDevice() {
    Splits splits = load_data(CRRM_SOURCE "/demo/digits.csv.gz", {.shape = {1, 8, 8}});
    HeldOutSplit split = split_held_out(splits.train, 0.1, /*seed=*/0);
    data_ = {std::move(split.train), std::move(split.held_out), std::move(splits.test),
             *read_description(CRRM_SOURCE "/demo/digits.json").normalisation};
    options_.epochs = 3;
    options_.gates.criterion.power = 2;  // noise enough to be seen
    options_.augmentation = {.pad = 1, .flip = false};
    options_.limits = {{Resource::macs, cost(network_).macs / 2}};
  }

  void SetUp() override {
    if (GetParam() == std::string("cuda") && !at::globalContext().hasCUDA())
      GTEST_SKIP() << "no GPU";
  }

  at::Device device() const {
    return GetParam() == std::string("cuda") ? find_device("cuda") : test::kStrictDevice;
  }

  std::unique_ptr<Task> classification(at::Device device) const {
    return std::make_unique<Classification>(
        data_.train.classes, std::make_unique<Teacher>(network_, device), LossOptions{});
  }
  std::unique_ptr<Task> distillation(at::Device device) const {
    return std::make_unique<Distillation>(
        std::make_unique<Teacher>(network_, device), std::vector<std::string>{"logits"},
        std::vector<std::string>{}, take(data_.train, data_.normalisation, 0, 64, true).inputs, 1);
  }

  /// @param task  on the same device
  std::unique_ptr<crrm::Run> make(const Task& task, at::Device device) const {
    RunOptions options = options_;
    options.device = device;
    return std::make_unique<crrm::Run>(network_, network_, task, data_, options);
  }

  void expect_same(const RunResult& expected, const RunResult& found) const;
  TensorFile interrupted(const Task& task) const;

  Graph network_ = read_onnx(CRRM_SOURCE "/demo/digits.onnx");
  RunData data_;
  RunOptions options_;
};

void OnDevice::expect_same(const RunResult& expected, const RunResult& found) const {
  ASSERT_EQ(expected.stages.size(), found.stages.size());
  for (const Stage& stage : found.stages)
    for (const auto& [name, tensor] : stage.graph.parameters)
      ASSERT_TRUE(tensor.is_cpu()) << stage.name << " " << name;
  if (device().is_cuda()) {
    for (size_t i = 0; i < found.stages.size(); ++i)
      EXPECT_NEAR(expected.stages[i].held_out.metric, found.stages[i].held_out.metric, 0.03);
    EXPECT_LE(cost(found.stages.back().graph).macs, options_.limits[0].most);
    return;
  }
  EXPECT_EQ(expected.alive, found.alive);
  EXPECT_EQ(expected.curve.dump(), found.curve.dump());
  for (size_t i = 0; i < found.stages.size(); ++i) {
    SCOPED_TRACE(expected.stages[i].name);
    EXPECT_EQ(expected.stages[i].held_out.loss, found.stages[i].held_out.loss);
    EXPECT_EQ(expected.stages[i].test->metric, found.stages[i].test->metric);
    for (const auto& [name, tensor] : expected.stages[i].graph.parameters)
      EXPECT_TRUE(tensor.equal(found.stages[i].graph.parameters.at(name))) << name;
  }
}

TEST_P(OnDevice, CompressesAsOnTheCpu) {
  const std::unique_ptr<Task> here = classification(at::kCPU), there = classification(device());
  expect_same(make(*here, at::kCPU)->train({}), make(*there, device())->train({}));
}

TEST_P(OnDevice, CompressesWithoutLabelsAsOnTheCpu) {
  const std::unique_ptr<Task> here = distillation(at::kCPU), there = distillation(device());
  expect_same(make(*here, at::kCPU)->train({}), make(*there, device())->train({}));
}

TEST_P(OnDevice, KeepsALimitOnTheMetricAsOnTheCpu) {
  options_.max_drop = 0.02;
  const std::unique_ptr<Task> here = classification(at::kCPU), there = classification(device());
  expect_same(make(*here, at::kCPU)->train({}), make(*there, device())->train({}));
}

TEST_P(OnDevice, RanksByAnyMethodAsOnTheCpu) {
  options_.epochs = 1;
  for (const std::string& method : criterion_names()) {
    SCOPED_TRACE(method);
    options_.gates.method = method;
    const std::unique_ptr<Task> here = classification(at::kCPU), there = classification(device());
    expect_same(make(*here, at::kCPU)->train({}), make(*there, device())->train({}));
  }
}

/// The checkpoint that a run leaves when it is asked to stop on the ramp.
TensorFile OnDevice::interrupted(const Task& task) const {
  const InterruptGuard guard;
  TensorFile last;
  int64_t seen = 0;
  RunObserver observer;
  observer.progress = [&](const ProgressState&) {
    constexpr int64_t kStop = 12;
    if (++seen == kStop) std::raise(SIGTERM);
  };
  observer.save = [&](const TensorFile& state) {
    last = state;
    for (auto& [name, tensor] : last.tensors) {
      ASSERT_TRUE(tensor.is_cpu()) << name;
      tensor = tensor.clone();  // the run goes on to change its own
    }
  };
  EXPECT_THROW(make(task, device())->train(observer), Interrupted);
  return last;
}

// A checkpoint is made of CPU tensors, and the run goes on on its device.
TEST_P(OnDevice, GoesOnFromACheckpoint) {
  for (const std::optional<double> max_drop : {std::optional<double>(), std::optional(0.02)}) {
    options_.max_drop = max_drop;
    const std::unique_ptr<Task> task = classification(device());
    const RunResult whole = make(*task, device())->train({});
    const std::unique_ptr<crrm::Run> run = make(*task, device());
    run->resume(interrupted(*task));
    expect_same(whole, run->train({}));
  }
}

TEST_P(OnDevice, EvaluatesAndTimes) {
  const Classification task(data_.train.classes, nullptr, {});
  const Evaluation here = task.evaluate(network_, data_.test, data_.normalisation, 100);
  const Evaluation there =
      task.evaluate(to(network_, device()), data_.test, data_.normalisation, 100);
  EXPECT_EQ(here.metric, there.metric);
  EXPECT_NEAR(here.loss, there.loss, device().is_cuda() ? 1e-3 : 0);
  const std::vector<Latency> timed =
      latencies(network_, proof_inputs(data_, 0), /*threads=*/1, device());
  EXPECT_EQ(timed.back().runtime, c10::DeviceTypeName(device().type(), /*lower_case=*/true));
  EXPECT_GT(timed.back().median_ms, 0);
}

TEST_P(OnDevice, RehearsesAStep) {
  options_.device = device();
  const std::unique_ptr<Task> task = classification(device());
  EXPECT_GT(preflight(network_, *task, data_, options_).seconds_per_step, 0);
}

INSTANTIATE_TEST_SUITE_P(Devices, OnDevice, testing::Values("strict", "cuda"),
                         [](const auto& info) { return std::string(info.param); });

// Else the tests above would show nothing.
TEST(StrictDevice, RefusesWhatLiesElsewhere) {
  const at::Tensor here = at::ones({2, 3}), there = here.to(test::kStrictDevice);
  EXPECT_THROW(at::add(there, here), c10::Error);
  EXPECT_THROW(at::mm(there, here.t()), c10::Error);
  EXPECT_THROW(there.index_select(0, at::zeros({1}, at::kLong)), c10::Error);
  EXPECT_THROW(at::cat({there, here}), c10::Error);
  EXPECT_EQ(at::add(there, at::ones({})).sum().item<float>(), 12);  // CUDA has that too
  EXPECT_EQ((there + there).device(), test::kStrictDevice);
  EXPECT_TRUE(there.cpu().equal(here));
}

Node node(const char* op, std::vector<std::string> inputs, const char* output) {
  return {.op = op,
          .name = output,
          .domain = "",
          .inputs = std::move(inputs),
          .outputs = {output},
          .attributes = {}};
}

// What decides a shape is read on the CPU; what indexes data lies beside them.
TEST(ToDevice, LeavesShapesOnTheCpu) {
  Graph graph;
  graph.parameters = {{"weight", at::ones({4, 4})},
                      {"target", at::tensor({-1, 2, 2}, at::kLong)},
                      {"chosen", at::tensor({1, 0}, at::kLong)}};
  graph.inputs = {{"x", at::kFloat, {-1, 4}, {"n", ""}}};
  graph.nodes = {node("MatMul", {"x", "weight"}, "a"), node("Reshape", {"a", "target"}, "b"),
                 node("Gather", {"b", "chosen"}, "y")};
  graph.outputs = {{"y", at::kFloat, {}, {}}};
  const Graph moved = to(graph, test::kStrictDevice);
  EXPECT_EQ(moved.parameters.at("weight").device(), test::kStrictDevice);
  EXPECT_EQ(moved.parameters.at("chosen").device(), test::kStrictDevice);
  EXPECT_TRUE(moved.parameters.at("target").is_same(graph.parameters.at("target")));
  const at::Tensor x = at::rand({3, 4});
  EXPECT_TRUE(Executor(graph).run({x})[0].equal(Executor(moved).run({x})[0].cpu()));
  EXPECT_TRUE(to(graph, at::kCPU).parameters.at("weight").is_same(graph.parameters.at("weight")));
}

// y = x W + zeros [n, 1], whose extent is computed at run time.
TEST(ToDevice, BringsWhatTheCpuMadeToTheData) {
  Graph graph;
  graph.parameters = {{"weight", at::ones({4, 4})},
                      {"axis", at::tensor({0}, at::kLong)},
                      {"one", at::tensor({1}, at::kLong)}};
  graph.inputs = {{"x", at::kFloat, {-1, 4}, {"n", ""}}};
  graph.nodes = {node("MatMul", {"x", "weight"}, "a"),        node("Shape", {"a"}, "extents"),
                 node("Gather", {"extents", "axis"}, "n"),    node("Concat", {"n", "one"}, "shape"),
                 node("ConstantOfShape", {"shape"}, "zeros"), node("Add", {"a", "zeros"}, "y")};
  graph.nodes[3].attributes = {{"axis", int64_t{0}}};
  graph.outputs = {{"y", at::kFloat, {}, {}}};
  const at::Tensor x = at::rand({3, 4});
  const at::Tensor found = Executor(to(graph, test::kStrictDevice)).run({x})[0];
  EXPECT_EQ(found.device(), test::kStrictDevice);
  EXPECT_TRUE(Executor(graph).run({x})[0].equal(found.cpu()));
}

// Both branches of an If read a weight and the target of a Reshape.
TEST(ToDevice, RunsTheBranchesOfAnIf) {
  const auto branch = [](std::vector<Node> nodes) {
    Graph graph;
    for (const char* name : {"a", "w", "t"}) graph.inputs.push_back({name, at::kFloat, {}, {}});
    graph.nodes = std::move(nodes);
    graph.outputs = {{"b", at::kFloat, {}, {}}};
    return std::make_shared<const Graph>(std::move(graph));
  };
  Graph graph;
  graph.parameters = {{"weight", at::rand({4, 4})},
                      {"target", at::tensor({2, -1}, at::kLong)},
                      {"zero", at::zeros({})}};
  graph.inputs = {{"x", at::kFloat, {-1, 4}, {"n", ""}}};
  graph.nodes = {node("ReduceSum", {"x"}, "sum"), node("Greater", {"sum", "zero"}, "c"),
                 node("If", {"c", "x", "weight", "target"}, "y")};
  graph.nodes[0].attributes = {{"keepdims", int64_t{0}}};
  graph.nodes[2].attributes = {
      {"then_branch", branch({node("MatMul", {"a", "w"}, "p"), node("Reshape", {"p", "t"}, "b")})},
      {"else_branch", branch({node("Reshape", {"a", "t"}, "b")})}};
  graph.outputs = {{"y", at::kFloat, {}, {}}};
  const Executor here(graph), there(to(graph, test::kStrictDevice));
  for (const at::Tensor& x : {at::rand({3, 4}), -at::rand({3, 4})}) {
    const at::Tensor found = there.run({x})[0];
    EXPECT_EQ(found.device(), test::kStrictDevice);
    EXPECT_TRUE(here.run({x})[0].equal(found.cpu()));
  }
}

TEST(FindDevice, SaysWhatIsMissing) {
  EXPECT_EQ(find_device("cpu"), at::Device(at::kCPU));
  EXPECT_EQ(accelerator_name(at::kCPU), "");
  if (at::globalContext().hasCUDA()) {
    EXPECT_EQ(find_device("cuda"), at::Device(at::kCUDA, 0));
    EXPECT_THAT(accelerator_name(find_device("cuda")), testing::StartsWith("NVIDIA"));
    return;
  }
  try {
    find_device("cuda");
    FAIL() << "found a GPU";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--device"), HasSubstr("expected  cpu"),
                                    HasSubstr("found     cuda, but")));
  }
}

}  // namespace
}  // namespace crrm
