#include "crrm/criteria/criterion.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crrm/base/error.h"
#include "tests/small_network.h"

namespace crrm {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

std::vector<double> to_vector(const at::Tensor& tensor) {
  const at::Tensor x = tensor.detach().to(at::kDouble).contiguous();
  return {x.const_data_ptr<double>(), x.const_data_ptr<double>() + x.numel()};
}

/// x [N, 2] -> fc1 [3, 2] -> Relu -> fc2 [2, 3] -> y [N, 2]: three units.
///   unit   row of fc1   column of fc2
///   0      1, -2        1, 1
///   1      3, 0         0, -1
///   2      1/2, 1/2     2, 0
Graph two_layers() {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 2}, {"batch", ""}}};
  b.graph.parameters["fc1.weight"] = at::tensor({1.0F, -2.0F, 3.0F, 0.0F, 0.5F, 0.5F}).view({3, 2});
  b.graph.parameters["fc2.weight"] = at::tensor({1.0F, 0.0F, 2.0F, 1.0F, -1.0F, 0.0F}).view({2, 3});
  b.add("Gemm", "fc1", {"x", "fc1.weight"});
  b.add("Relu", "relu", {"fc1.out"});
  b.add("Gemm", "fc2", {"relu.out", "fc2.weight"});
  for (Node& node : b.graph.nodes)
    if (node.op == "Gemm") node.attributes["transB"] = int64_t{1};
  b.graph.outputs = {{"fc2.out", at::kFloat, {-1, 2}, {"batch", ""}}};
  return b.graph;
}

/// A network whose units are all there.
class Whole {
 public:
  explicit Whole(Graph graph)
      : graph(std::move(graph)),
        coupling(this->graph, infer_shapes(this->graph, input_shapes(this->graph, kCouplingBatch))),
        cost(this->graph, coupling),
        alive(static_cast<size_t>(coupling.size()), true) {}

  LivingNetwork living() const { return {graph, coupling, cost, alive, alive}; }
  std::unique_ptr<Criterion> criterion(const std::string& name,
                                       const CriterionOptions& options = {}) const {
    return make_criterion(name, living(), options);
  }
  /// The unit of index `index` of an axis.
  int unit(const std::string& value, int64_t axis, size_t index) const {
    return coupling.axes()[static_cast<size_t>(coupling.axis_of(value, axis).axis)][index];
  }

  Graph graph;
  Coupling coupling;
  CostModel cost;
  std::vector<bool> alive;
};

TEST(Criteria, OwnMethodComesFirst) {
  EXPECT_THAT(criterion_names(), ElementsAre("crrm", "bn-scale", "fisher", "l0", "magnitude-l1",
                                             "magnitude-l2", "random", "taylor"));
}

TEST(Criteria, UnknownNameIsAnswered) {
  const Whole network(two_layers());
  try {
    network.criterion("magnitude-l3");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean magnitude-l"));
  }
}

// |w| summed: 3 + 2, 3 + 1, 1 + 2, mean 4; squares: 5 + 2, 9 + 1, 1/2 + 4, mean 43/6.
TEST(Magnitude, RowsAndColumnsOverTheGroupsMean) {
  const Whole network(two_layers());
  EXPECT_THAT(to_vector(network.criterion("magnitude-l1")->scores(network.living())),
              Pointwise(DoubleNear(1e-12), {1.25, 1.0, 0.75}));
  EXPECT_THAT(to_vector(network.criterion("magnitude-l2")->scores(network.living())),
              Pointwise(DoubleNear(1e-12), {7 * 6 / 43.0, 10 * 6 / 43.0, 4.5 * 6 / 43.0}));
}

// Unit 1 is cut away: its row and column are gone, and the mean is that of the others.
TEST(Magnitude, SeesWhatIsLeft) {
  Whole network(two_layers());
  const std::unique_ptr<Criterion> criterion = network.criterion("magnitude-l1");
  const at::Tensor left = at::tensor({0, 2}, at::kLong);
  Graph small = network.graph;
  small.parameters["fc1.weight"] = small.parameters["fc1.weight"].index_select(0, left);
  small.parameters["fc2.weight"] = small.parameters["fc2.weight"].index_select(1, left);
  const std::vector<bool> alive = {true, false, true};
  EXPECT_THAT(to_vector(criterion->scores({small, network.coupling, network.cost, alive, alive})),
              Pointwise(DoubleNear(1e-12), {1.25, 0.0, 0.75}));
}

// Two groups of a convolution [4, 2, 3, 3]: channels 0 and 1 are read by the first two rows alone.
TEST(SumByUnit, FollowsTheBlocksOfAGroupedConvolution) {
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 1, 5, 5}, {"batch", "", "", ""}}};
  b.conv("conv1", "x", 1, 4);
  b.conv("conv2", "conv1.out", 2, 4);
  b.graph.nodes.back().attributes["group"] = int64_t{2};
  b.conv("conv3", "conv2.out", 4, 3);
  b.graph.outputs = {{"conv3.out", at::kFloat, {-1, 3, 5, 5}, {"batch", "", "", ""}}};
  const Whole network(b.graph);
  const at::Tensor values = at::zeros({4, 2, 3, 3});
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t column = 0; column < 2; ++column)
      values[row][column][1][2] = static_cast<double>(10 * row + column);
  const std::vector<double> sums =
      to_vector(sum_by_unit(network.living(), "conv2.weight", 1, values));
  const std::vector<double> expected = {0 + 10, 1 + 11, 20 + 30, 21 + 31};
  for (size_t channel = 0; channel < 4; ++channel)
    EXPECT_EQ(sums[static_cast<size_t>(network.unit("conv1.weight", 0, channel))],
              expected[channel]);
}

TEST(BnScale, SizesOfScalesAndTheirPenalty) {
  const Whole network(test::small_network());
  const std::unique_ptr<Criterion> criterion = network.criterion("bn-scale");
  at::Tensor stream = network.graph.parameters.at("bn1.scale");
  at::Tensor inner = network.graph.parameters.at("bn2.scale");
  stream[2] = -3.0;
  const std::vector<double> scores = to_vector(criterion->scores(network.living()));
  for (int64_t c = 0; c < test::kStream; ++c)
    EXPECT_FLOAT_EQ(
        scores[static_cast<size_t>(network.unit("conv1.weight", 0, static_cast<size_t>(c)))],
        std::abs(stream[c].item<float>()));
  for (int64_t c = 0; c < test::kInner; ++c)
    EXPECT_FLOAT_EQ(
        scores[static_cast<size_t>(network.unit("conv2.weight", 0, static_cast<size_t>(c)))],
        inner[c].item<float>());
  for (at::Tensor* scale : {&stream, &inner}) scale->requires_grad_(true);
  criterion->penalty(network.living()).backward();
  EXPECT_TRUE(at::allclose(stream.grad(), 1e-3 * at::sign(stream.detach())));
  EXPECT_TRUE(at::allclose(inner.grad(), at::full({test::kInner}, 1e-3)));
}

TEST(BnScale, NeedsOne) {
  const Whole network(two_layers());
  try {
    network.criterion("bn-scale");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--method bn-scale"));
    EXPECT_THAT(error.what(), HasSubstr("units with a BatchNormalization"));
  }
}

// Gradients of two samples {1, 2}, {-2, -2}, {0, 1}: E g^2 = 5/2, 4, 1/2; (sum g)^2 = 9, 16, 1.
// A second probe of nothing halves both: the first probes are averaged plainly.
TEST(Probes, SquaresOfSamplesAndOfTheirSum) {
  const Whole network(two_layers());
  const at::Tensor gradients = at::tensor({1.0, -2.0, 0.0, 9.0, 2.0, -2.0, 1.0, 9.0}).view({2, 4});
  const std::vector<double> fisher = {2.5, 4, 0.5}, taylor = {9, 16, 1};
  for (const auto& [name, power, expected] : {std::tuple("fisher", std::optional<double>(), fisher),
                                              {"crrm", 4.0, fisher},
                                              {"taylor", {}, taylor}}) {
    SCOPED_TRACE(name);
    const std::unique_ptr<Criterion> criterion = network.criterion(name, {.power = power});
    EXPECT_FALSE(criterion->ready());
    criterion->observe(gradients);
    EXPECT_TRUE(criterion->ready());
    EXPECT_EQ(to_vector(criterion->scores(network.living())), expected);
    criterion->observe(at::zeros_like(gradients));
    EXPECT_EQ(to_vector(2 * criterion->scores(network.living())), expected);
  }
}

// 40 probes of nothing behind a first one: its share is a 41st, however long ago it was; Taylor's
// average has nearly forgotten it.
TEST(Probes, FisherInformationIsTheMeanOverAllOfThem) {
  const Whole network(two_layers());
  const at::Tensor gradients = at::tensor({1.0, -2.0, 0.0, 9.0, 2.0, -2.0, 1.0, 9.0}).view({2, 4});
  for (const char* name : {"crrm", "fisher", "taylor"}) {
    SCOPED_TRACE(name);
    const std::unique_ptr<Criterion> criterion = network.criterion(name);
    criterion->observe(gradients);
    const std::vector<double> first = to_vector(criterion->scores(network.living()));
    for (int probe = 0; probe < 40; ++probe) criterion->observe(at::zeros_like(gradients));
    const std::vector<double> later = to_vector(41 * criterion->scores(network.living()));
    if (std::string(name) == "taylor")
      EXPECT_LT(later[0], 0.5 * first[0]);
    else
      EXPECT_THAT(later, Pointwise(DoubleNear(1e-9), first));
  }
}

TEST(Probes, OnlyFisherInformationIsWeighedByCost) {
  const Whole network(test::small_network());
  for (const std::string& name : criterion_names())
    EXPECT_EQ(network.criterion(name)->per_cost(), name == "crrm" || name == "fisher") << name;
}

// Units 0 and 1 do the same: the first of them to go costs next to nothing, and the other one then
// what both did. Unit 2 has less information than either, and nobody does what it does.
TEST(Crrm, OneOfTwoUnitsThatDoTheSameGoesFirst) {
  Whole network(two_layers());
  const std::unique_ptr<Criterion> criterion = network.criterion("crrm");
  criterion->observe(at::tensor({2.0, 2.0, 1.0, 9.0, 2.0, 2.0, -1.0, 9.0}).view({2, 4}));
  const std::vector<double> scores = to_vector(criterion->scores(network.living()));
  EXPECT_LT(scores[0], 0.1 * scores[1]);
  EXPECT_LT(scores[0], scores[2]);
  EXPECT_LT(scores[2], scores[1]);
  EXPECT_NEAR(scores[1], 4, 1e-12);
  EXPECT_NEAR(scores[2], 1, 1e-12);
  network.alive[0] = false;
  EXPECT_NEAR(to_vector(criterion->scores(network.living()))[1], 4, 1e-12);
}

// 1,300 units whose information is known and independent: so it stays across three blocks.
TEST(Crrm, WideGroupsFallIntoBlocks) {
  constexpr int64_t kUnits = 1300;
  test::Builder b(1);
  b.graph.inputs = {{"x", at::kFloat, {-1, 2}, {"batch", ""}}};
  b.graph.parameters["fc1.weight"] = b.random({kUnits, 2});
  b.graph.parameters["fc2.weight"] = b.random({2, kUnits});
  b.add("Gemm", "fc1", {"x", "fc1.weight"});
  b.add("Gemm", "fc2", {"fc1.out", "fc2.weight"});
  for (Node& node : b.graph.nodes) node.attributes["transB"] = int64_t{1};
  b.graph.outputs = {{"fc2.out", at::kFloat, {-1, 2}, {"batch", ""}}};
  const Whole network(b.graph);
  ASSERT_EQ(network.coupling.size(), kUnits);
  const at::Tensor sizes = at::arange(1, kUnits + 2, at::kDouble);
  const std::unique_ptr<Criterion> criterion = network.criterion("crrm");
  criterion->observe(at::diag(sizes));  // each sample moves one unit alone
  const at::Tensor expected = sizes.narrow(0, 0, kUnits).square() / (kUnits + 1);
  const std::vector<double> scores = to_vector(criterion->scores(network.living()));
  for (int64_t unit = 0; unit < kUnits; ++unit)
    EXPECT_NEAR(scores[static_cast<size_t>(unit)], expected[unit].item<double>(), 1e-9) << unit;
}

TEST(Random, DependsOnTheSeedAlone) {
  const Whole network(test::small_network());
  const auto order = [&](uint64_t seed) {
    return to_vector(network.criterion("random", {.seed = seed})->scores(network.living()));
  };
  EXPECT_EQ(order(3), order(3));
  EXPECT_NE(order(3), order(4));
}

/// Gates whose log alpha is `a`, of two_layers.
std::unique_ptr<Criterion> gates_at(const Whole& network, const std::vector<double>& a,
                                    const CriterionOptions& options = {}) {
  std::unique_ptr<Criterion> criterion = network.criterion("l0", options);
  std::map<std::string, at::Tensor> state = criterion->state();
  state["a"] = at::tensor(a, at::kDouble);
  criterion->load(state);
  return criterion;
}

// P(z > 0) = sigmoid(a + 2/3 ln 11), the share of draws above 0, within four deviations of it; and
// by symmetry P(z < 1) = sigmoid(-a + 2/3 ln 11).
TEST(L0, DrawsHardConcreteGates) {
  const Whole network(two_layers());
  const std::vector<double> a = {-1.5, 0, 2};
  const std::unique_ptr<Criterion> criterion = gates_at(network, a);
  constexpr int64_t kDraws = 20000;
  const at::Tensor z = criterion->draw(kDraws, 5);
  ASSERT_EQ(z.sizes(), at::IntArrayRef({kDraws, 4}));
  EXPECT_TRUE(at::equal(z.select(1, 3), at::ones({kDraws})));
  EXPECT_TRUE(at::equal(z, criterion->draw(kDraws, 5)));
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double stretch = 2.0 / 3 * std::log(11.0);
  const std::vector<double> open = to_vector((z > 0).to(at::kDouble).mean(0));
  const std::vector<double> part = to_vector((z < 1).to(at::kDouble).mean(0));
  for (size_t unit = 0; unit < a.size(); ++unit) {
    const auto expect_share = [&](double found, double p) {
      EXPECT_NEAR(found, p, 4 * std::sqrt(p * (1 - p) / kDraws));
    };
    expect_share(open[unit], sigmoid(a[unit] + stretch));
    expect_share(part[unit], sigmoid(-a[unit] + stretch));
    EXPECT_DOUBLE_EQ(to_vector(criterion->scores(network.living()))[unit],
                     sigmoid(a[unit] + stretch));
  }
}

// Three units of 4 parameters each. P = {1/2, 1/2, 1} make expect two of them, 8 parameters; a
// limit of 4 is exceeded by 1, and each unit of P costs one limit: d excess / d a = P (1 - P).
// The first step of Adam has the length of its rate, 4 x 2 ln 100 / ramp_steps, and lambda rises by
// 200 / ramp_steps.
TEST(L0, FollowsTheLagrangian) {
  const Whole network(two_layers());
  const double half = -2.0 / 3 * std::log(11.0);
  const std::unique_ptr<Criterion> criterion =
      gates_at(network, {half, half, 40}, {.ramp_steps = 100});
  const std::vector<Limit> limits = {{Resource::params, 4}};
  criterion->constrain(network.living(), limits);
  EXPECT_EQ(criterion->penalty(network.living()).item<double>(), 0);  // lambda begins at 0
  criterion->penalty(network.living()).backward();
  criterion->learn();
  EXPECT_DOUBLE_EQ(criterion->state().at("lambda").item<double>(), 2);
  const double before = to_vector(criterion->state().at("a"))[0];
  criterion->constrain(network.living(), limits);
  EXPECT_DOUBLE_EQ(criterion->penalty(network.living()).item<double>(), 2);
  criterion->penalty(network.living()).backward();
  criterion->learn();
  const std::vector<double> after = to_vector(criterion->state().at("a"));
  EXPECT_LT(after[0], before);
  EXPECT_EQ(after[0], after[1]);
}

// Of 40 units the loss needs some more than others. The limit falls to half: what is left costs
// about that, and is what the loss needs most.
TEST(L0, MeetsTheLimitAndKeepsWhatTheLossNeeds) {
  constexpr int64_t kUnits = 40, kSteps = 400, kEvery = 10;
  constexpr double kGoal = 0.5;
  Graph graph = two_layers();
  graph.parameters["fc1.weight"] = at::ones({kUnits, 2});
  graph.parameters["fc2.weight"] = at::ones({2, kUnits});
  const Whole network(graph);
  const std::unique_ptr<Criterion> criterion = network.criterion("l0", {.ramp_steps = kSteps});
  const at::Tensor need = at::exp(at::linspace(-7, 0, kUnits));  // [units]
  const double whole = static_cast<double>(network.cost(network.alive).params);
  for (int64_t step = 0; step < kSteps; ++step) {
    const double share = std::pow(kGoal, static_cast<double>(step) / kSteps);
    if (step % kEvery == 0)
      criterion->constrain(network.living(),
                           {{Resource::params, static_cast<int64_t>(whole * share)}});
    const at::Tensor z = criterion->draw(32, static_cast<uint64_t>(step)).narrow(1, 0, kUnits);
    const at::Tensor loss = ((1 - z) * need).sum(1).mean();
    (loss + criterion->penalty(network.living())).backward();
    criterion->learn();
  }
  const at::Tensor open = criterion->scores(network.living());
  EXPECT_NEAR(open.mean().item<double>(), kGoal, 0.1);
  EXPECT_GT(open.narrow(0, 30, 10).min().item<double>(),
            open.narrow(0, 0, 10).max().item<double>());
}

TEST(L0, ComesBackFromItsState) {
  const Whole network(test::small_network());
  const std::vector<Limit> limits = {{Resource::macs, network.cost(network.alive).macs / 2}};
  const auto step = [&](Criterion& criterion, uint64_t seed) {
    (criterion.draw(8, seed).mean() + criterion.penalty(network.living())).backward();
    criterion.learn();
  };
  const std::unique_ptr<Criterion> first = network.criterion("l0", {.ramp_steps = 50});
  first->constrain(network.living(), limits);
  for (uint64_t i = 0; i < 3; ++i) step(*first, i);
  const std::unique_ptr<Criterion> second = network.criterion("l0", {.seed = 9, .ramp_steps = 50});
  second->load(first->state());
  for (Criterion* criterion : {first.get(), second.get()}) step(*criterion, 7);
  EXPECT_EQ(to_vector(first->scores(network.living())),
            to_vector(second->scores(network.living())));
  EXPECT_EQ(first->state().at("lambda").item<double>(),
            second->state().at("lambda").item<double>());
}

}  // namespace
}  // namespace crrm
