#include "crrm/train/gated_network.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "crrm/bottleneck/gates.h"
#include "crrm/surgery/cut.h"
#include "crrm/train/optimizer.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

class GatedNetworkTest : public ::testing::Test {
 protected:
  /// Information that grows with the unit's number, so that the first units close first.
  void observe() {
    at::Tensor gradients = at::arange(1, network_.units() + 2, at::kDouble).unsqueeze(0);
    network_.observe(gradients);
  }
  std::vector<Limit> limit(double share) const {
    return {
        {Resource::macs, static_cast<int64_t>(share * static_cast<double>(network_.cost().macs))}};
  }

  at::Tensor x_ = test::small_input();
  GateOptions noisy_{.criterion = {.power = 4}};
  GatedNetwork network_{test::small_network(), {{3, 8, 8}}, noisy_};
};

// Closing units and cutting them away leave the same function, twice in a row.
TEST_F(GatedNetworkTest, CompactionChangesNothing) {
  const at::NoGradGuard no_grad;
  observe();
  for (const double share : {0.8, 0.6}) {
    network_.control(limit(share));
    ASSERT_TRUE(network_.can_compact());
    const at::Tensor gates = hard_gates(network_.alive());
    const Tensors masked = network_.run({x_}, gates, false);
    network_.compact();
    EXPECT_FALSE(network_.can_compact());
    EXPECT_LT(difference(masked, network_.run({x_}, {}, false)).relative, 1e-5);
    EXPECT_LT(difference(masked, network_.run({x_}, gates, false)).relative, 1e-5);
    EXPECT_EQ(cost(network_.plain(), {{3, 8, 8}}).macs, network_.cost().macs);
  }
}

TEST_F(GatedNetworkTest, ComesBackFromItsState) {
  const at::NoGradGuard no_grad;
  observe();
  network_.control(limit(0.8));
  network_.compact();
  network_.control(limit(0.9));
  GatedNetwork other(test::small_network(/*seed=*/9), {{3, 8, 8}}, noisy_);
  other.load(network_.state());
  EXPECT_EQ(other.alive(), network_.alive());
  const at::Tensor gates = hard_gates(network_.alive());
  EXPECT_TRUE(at::equal(network_.run({x_}, gates, false)[0], other.run({x_}, gates, false)[0]));
  EXPECT_TRUE(at::equal(network_.draw(3, 7), other.draw(3, 7)));
}

// By default an open gate is one, whatever the water level; with a power it draws by sample.
TEST_F(GatedNetworkTest, DrawsOnlyWhereAPowerIsGiven) {
  GatedNetwork plain(test::small_network(), {{3, 8, 8}}, {});
  plain.observe(at::arange(1, plain.units() + 2, at::kDouble).unsqueeze(0));
  observe();
  plain.control(limit(0.8));
  network_.control(limit(0.8));
  EXPECT_EQ(plain.alive(), network_.alive());
  EXPECT_GT(plain.beta(), 0);
  EXPECT_TRUE(at::equal(plain.draw(2, 7), hard_gates(plain.alive())));
  const at::Tensor drawn = network_.draw(2, 7);
  EXPECT_FALSE(at::equal(drawn[0], drawn[1]));
}

// (d log p / dz_c) of each sample by central differences in float64 is what autograd gives: summed
// over the readers and positions of the unit, sample by sample.
TEST_F(GatedNetworkTest, GateGradientsAreThoseOfDifferences) {
  const Graph graph = to_type(test::small_network(), at::kDouble);
  const Coupling coupling(graph, infer_shapes(graph, input_shapes(graph, kCouplingBatch)));
  const Executor executor(insert_gates(graph, coupling));
  const at::Tensor x = x_.to(at::kDouble), labels = at::tensor({0, 1, 2, 3}, at::kLong);
  const auto log_p = [&](const at::Tensor& z) {
    return at::log_softmax(executor.run({x, z})[0], 1)
        .gather(1, labels.unsqueeze(1))
        .squeeze(1);  // [N]
  };
  at::Tensor z = at::ones({4, coupling.size() + 1}, at::kDouble);
  z.requires_grad_(true);
  const at::Tensor gradient = torch::autograd::grad({log_p(z).sum()}, {z})[0];
  constexpr double h = 1e-6;
  for (int64_t c = 0; c < coupling.size(); ++c) {
    at::Tensor up = at::ones({4, coupling.size() + 1}, at::kDouble), down = up.clone();
    up.select(1, c).add_(h);
    down.select(1, c).sub_(h);
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(
        at::allclose(gradient.select(1, c), (log_p(up) - log_p(down)) / (2 * h), 1e-5, 1e-7))
        << "unit " << c;
  }
}

// Momentum follows the rows that stay: a step after the cut moves them as it would have without it.
TEST_F(GatedNetworkTest, OptimizerStateFollowsTheCut) {
  const auto step = [](GatedNetwork& network, Optimizer& optimizer) {
    optimizer.zero_grad();
    for (const auto& [name, tensor] : learned_tensors(network.gated()))
      tensor.mutable_grad() = at::ones_like(tensor);
    optimizer.step(0.1);
  };
  GatedNetwork whole(test::small_network(), {{3, 8, 8}}, {});
  Optimizer of_whole(learned_tensors(whole.gated()), {}),
      of_cut(learned_tensors(network_.gated()), {});
  step(whole, of_whole);
  step(network_, of_cut);
  observe();
  network_.control(limit(0.7));
  const Shrinkage::Kept kept = network_.compact();
  of_cut.replace(learned_tensors(network_.gated()), kept);
  step(whole, of_whole);
  step(network_, of_cut);
  for (const auto& [name, tensor] : learned_tensors(network_.gated())) {
    at::Tensor expected = whole.gated().parameters.at(name).detach();
    if (const auto found = kept.find(name); found != kept.end())
      for (size_t a = 0; a < found->second.size(); ++a)
        expected = expected.index_select(static_cast<int64_t>(a),
                                         at::tensor(found->second[a].indices, at::kLong));
    EXPECT_TRUE(at::allclose(tensor.detach(), expected, 1e-6, 1e-7)) << name;
  }
}

}  // namespace
}  // namespace crrm
