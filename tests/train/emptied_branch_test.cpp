// A residual branch that leaves while training runs.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "crrm/bottleneck/gates.h"
#include "crrm/surgery/cut.h"
#include "crrm/surgery/proof.h"
#include "crrm/train/gated_network.h"
#include "crrm/train/optimizer.h"
#include "tests/residual_networks.h"

namespace crrm {
namespace {

class EmptiedBranch : public ::testing::Test {
 protected:
  /// Every parameter moves: the constant of the branch is not that of the first network.
  void train(GatedNetwork& network, Optimizer& optimizer) {
    optimizer.zero_grad();
    for (const auto& [name, tensor] : learned_tensors(network.gated()))
      tensor.mutable_grad() = at::ones_like(tensor);
    optimizer.step(0.05);
  }
  /// Closes the branch, which tells nothing, and nothing else.
  void close_branch() {
    const std::vector<bool> wanted =
        test::without_outputs_of(network_.coupling(), {"block2.conv", "block3.conv"});
    at::Tensor gradients = at::ones({1, network_.units() + 1}, at::kDouble);
    for (int unit = 0; unit < network_.units(); ++unit)
      if (!wanted[static_cast<size_t>(unit)]) gradients[0][unit] = 1e-6;
    network_.observe(gradients);
    network_.control({{Resource::macs, network_.cost_model()(wanted).macs}});
    ASSERT_EQ(network_.alive(), wanted);
  }
  Tensors masked(const GatedNetwork& network) const {
    return network.run({x_}, hard_gates(network.alive()), false);
  }

  at::Tensor x_ = test::small_input();
  GatedNetwork network_{test::bottleneck_block(), {{3, 8, 8}}, {}};
};

TEST_F(EmptiedBranch, LeavesAndChangesNothing) {
  Optimizer optimizer(learned_tensors(network_.gated()), {});
  train(network_, optimizer);
  close_branch();
  const Tensors before = masked(network_);
  optimizer.replace(learned_tensors(network_.gated()), network_.compact());
  EXPECT_FALSE(test::has_node(network_.plain(), "conv4"));
  EXPECT_LT(difference(before, network_.run({x_}, {}, false)).relative, 1e-5);
  EXPECT_EQ(cost(network_.plain(), {{3, 8, 8}}).macs, network_.cost().macs);
  EXPECT_EQ(cost(network_.plain(), {{3, 8, 8}}).params, network_.cost().params);
}

// Training goes on, more of the stream leaves, and the constant stays what it was.
TEST_F(EmptiedBranch, KeepsItsConstant) {
  Optimizer optimizer(learned_tensors(network_.gated()), {});
  train(network_, optimizer);
  close_branch();
  optimizer.replace(learned_tensors(network_.gated()), network_.compact());
  const at::Tensor constant = network_.gated().parameters.at("bn4.out.constant").clone();
  train(network_, optimizer);
  network_.control({{Resource::macs, network_.cost().macs * 3 / 4}});
  const Tensors before = masked(network_);
  network_.compact();
  EXPECT_LT(difference(before, network_.run({x_}, {}, false)).relative, 1e-5);
  const Shrinkage::Kept kept = network_.coupling().kept(network_.alive());
  const at::Tensor expected =
      constant.index_select(1, at::tensor(kept.at("bn4.out")[1].indices, at::kLong));
  EXPECT_TRUE(at::equal(network_.gated().parameters.at("bn4.out.constant"), expected));
  const Graph whole = network_.whole(network_.plain());
  EXPECT_LT(difference(Executor(whole).run({x_, hard_gates(network_.alive())}),
                       network_.run({x_}, {}, false))
                .relative,
            1e-5);
}

// A resumed run cuts again: the constant follows from the parameters of the branch that left, not
// from those of the network that the run began with.
TEST_F(EmptiedBranch, ComesBackFromItsState) {
  Optimizer optimizer(learned_tensors(network_.gated()), {});
  train(network_, optimizer);
  close_branch();
  network_.compact();
  GatedNetwork other(test::bottleneck_block(), {{3, 8, 8}}, {});
  other.load(network_.state());
  for (GatedNetwork* network : {&network_, &other}) {
    network->control({{Resource::macs, network->cost().macs * 3 / 4}});
    network->compact();
  }
  ASSERT_EQ(network_.alive(), other.alive());
  EXPECT_TRUE(at::equal(network_.run({x_}, {}, false)[0], other.run({x_}, {}, false)[0]));
}

// The file that a run writes is proved against the network that it began with.
TEST_F(EmptiedBranch, IsProvedAgainstTheFirstNetwork) {
  const Graph first = test::bottleneck_block();
  Optimizer optimizer(learned_tensors(network_.gated()), {});
  train(network_, optimizer);
  close_branch();
  network_.compact();
  const Coupling coupling = test::couple(first);
  const Graph small = network_.plain();
  for (const Proof& proof :
       prove_cut(first, coupling, network_.alive(), small, network_.whole(small), x_))
    EXPECT_TRUE(proof.ok) << proof.runtime << " " << proof.max_abs_diff;
}

}  // namespace
}  // namespace crrm
