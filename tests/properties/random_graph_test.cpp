// Any network, any units: masked, cut, written and read back, and ONNX Runtime agree. RapidCheck
// shrinks a failure to few building steps and prints the seed that brings it back.
#include "random_graph.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include "crrm/base/error.h"
#include "crrm/bottleneck/gates.h"
#include "crrm/bottleneck/selection.h"
#include "crrm/coupling/cost.h"
#include "crrm/coupling/subsets.h"
#include "crrm/graph/executor.h"
#include "crrm/io/onnx.h"
#include "crrm/measure/onnxruntime.h"
#include "crrm/surgery/cut.h"

namespace rc {

template <>
struct Arbitrary<crrm::test::Gene> {
  static Gen<crrm::test::Gene> arbitrary() {
    const auto choice = gen::inRange(0U, 1000U);
    return gen::build<crrm::test::Gene>(
        gen::set(&crrm::test::Gene::step, choice), gen::set(&crrm::test::Gene::a, choice),
        gen::set(&crrm::test::Gene::b, choice), gen::set(&crrm::test::Gene::c, choice));
  }
};

}  // namespace rc

namespace crrm::test {

void showValue(const Gene& gene, std::ostream& out) {
  out << fmt::format("{{{}, {}, {}, {}}}", gene.step, gene.a, gene.b, gene.c);
}

namespace {

constexpr double kExact = 1e-9;    // of double precision, over sums in another order
constexpr double kRuntime = 1e-4;  // of single precision

at::Tensor images(int64_t batch, at::ScalarType type) {
  return at::randn({batch, 3, 6, 6}, at::detail::createCPUGenerator(7),
                   at::TensorOptions(at::kFloat))
      .to(type);
}

class Written {
 public:
  explicit Written(const Graph& graph)
      : path_(std::filesystem::temp_directory_path() / fmt::format("crrm-{}.onnx", getpid())) {
    write_onnx(graph, path_);
  }
  ~Written() { std::filesystem::remove(path_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void check_subset(const Graph& graph, const Coupling& coupling, const Executor& masked,
                  const std::vector<bool>& alive) {
  const Executor exact(cut(to_type(graph, at::kDouble), coupling, alive));
  for (const int64_t batch : {2, 3}) {
    const at::Tensor x = images(batch, at::kDouble);
    RC_ASSERT(difference(masked.run({x, hard_gates(alive, at::kDouble)}), exact.run({x})).relative <
              kExact);
  }
  const Graph smaller = cut(graph, coupling, alive);
  const at::Tensor x = images(2, at::kFloat);
  const Tensors found = Executor(smaller).run({x});
  const Written file(smaller);
  const Graph back = read_onnx(file.path());
  RC_ASSERT(difference(found, Executor(back).run({x})).relative < kExact);
  if (OnnxRuntime::available())
    RC_ASSERT(difference(found, OnnxRuntime::from_file(file.path(), 1).run({x})).relative <
              kRuntime);
  for (size_t i = 0; i < graph.outputs.size(); ++i)
    RC_ASSERT(back.outputs[i].shape == graph.outputs[i].shape);
}

/// What the smaller network costs is known before it is built.
void check_cost(const Graph& graph, const Coupling& coupling, const CostModel& model,
                const std::vector<bool>& alive) {
  const Cost counted = cost(cut(graph, coupling, alive)), expected = model(alive);
  RC_ASSERT(counted.macs == expected.macs);
  RC_ASSERT(counted.params == expected.params);
}

// RC_PARAMS="max_success=2000" asks for more networks, "reproduce=..." for one again.
TEST(Properties, AnyUnitsLeaveAnyNetworkExactly) {
  const bool holds = rc::check([](const std::vector<Gene>& genes, uint16_t seed) {
    Graph graph = random_graph(genes);
    RC_LOG() << text(graph);
    fold_shape_arithmetic(graph);
    const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
    const Executor masked(to_type(insert_gates(graph, coupling), at::kDouble));
    RC_TAG(coupling.size() > 0 ? "some units" : "none");
    const CostModel model(graph, coupling);
    bool empties = false;
    for (const std::vector<bool>& alive : trial_subsets(coupling, 2, 2, seed)) {
      check_subset(graph, coupling, masked, alive);
      check_cost(graph, coupling, model, alive);
      empties |= model.removal().empties(alive);
    }
    RC_TAG(empties ? "some axis empty" : "no axis empty");
  });
  EXPECT_TRUE(holds);
}

/// Closes more of `alive` for a budget between what it costs and the least that it can. Units of an
/// axis may differ in cost, and information decides which one stays: where it is a dear one, the
/// least is out of reach, and nothing closes.
std::vector<bool> close_more(const Coupling& coupling, const CostModel& model,
                             const std::vector<bool>& alive, double share, uint64_t seed) {
  const at::Tensor fisher = at::rand({coupling.size()}, at::detail::createCPUGenerator(seed),
                                     at::TensorOptions(at::kDouble));
  const at::Tensor weight = unit_weights(coupling, model, alive, Resource::params);
  const int64_t whole = model(alive).params, least = smallest_cost(coupling, model).params;
  const int64_t limit = least + static_cast<int64_t>(share * static_cast<double>(whole - least));
  std::vector<bool> left;
  try {
    left = select(coupling, model, alive, fisher, weight, {{Resource::params, limit}}).alive;
  } catch (const InputError&) {
    return alive;
  }
  RC_ASSERT(model(left).params <= limit);
  for (size_t unit = 0; unit < left.size(); ++unit) RC_ASSERT(alive[unit] || !left[unit]);
  RC_ASSERT(model.removal().without_unread(left) == left);
  return left;
}

// Whatever the information and the budget: what selection leaves can be cut, nothing of it is
// unread, and it can go on from there.
TEST(Properties, AnySelectionLeavesAnyNetworkExactly) {
  const bool holds = rc::check([](const std::vector<Gene>& genes, uint16_t seed) {
    Graph graph = random_graph(genes);
    RC_LOG() << text(graph);
    fold_shape_arithmetic(graph);
    const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
    const Executor masked(to_type(insert_gates(graph, coupling), at::kDouble));
    const CostModel model(graph, coupling);
    std::vector<bool> alive(static_cast<size_t>(coupling.size()), true);
    for (const double share : {0.5, 0.1}) {
      alive = close_more(coupling, model, alive, share, seed);
      crrm::check_subset(coupling, alive, "selection");
      check_subset(graph, coupling, masked, alive);
    }
    RC_TAG(model.removal().empties(alive) ? "some axis empty" : "no axis empty");
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace crrm::test
