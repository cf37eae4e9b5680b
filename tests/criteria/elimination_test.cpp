#include "crrm/criteria/elimination.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace crrm {
namespace {

/// Of rank `rank`, with a unit that is nearly the sum of two others. [n, n]
at::Tensor random_information(int64_t n, int64_t rank, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const at::Tensor g = at::randn({rank, n}, generator, at::TensorOptions(at::kDouble));
  g.select(1, 0).copy_(g.select(1, 1) + g.select(1, 2) + 0.1 * g.select(1, 0));
  return g.t().mm(g) / rank;
}

/// The cost of closing `c` while only `left` remain, by its definition: the others' gates are
/// solved for.
double cost_of(const at::Tensor& information, double ridge, std::vector<int64_t> left, int64_t c) {
  left.erase(std::find(left.begin(), left.end(), c));
  if (left.empty()) return information[c][c].item<double>();
  const at::Tensor others = at::tensor(left, at::kLong);
  const at::Tensor f = information + ridge * at::eye(information.size(0), at::kDouble);
  const at::Tensor inner = f.index_select(0, others).index_select(1, others);
  const at::Tensor between = f[c].index_select(0, others);
  const at::Tensor moved = at::linalg_solve(inner, between);  // minimises the quadratic form
  return information[c][c].item<double>() - 2 * between.dot(moved).item<double>() +
         moved.dot(inner.mv(moved)).item<double>();
}

TEST(Elimination, EachStepIsTheCheapestByItsDefinition) {
  for (const uint64_t seed : {1, 2, 3}) {
    constexpr int64_t n = 12;
    constexpr double kRidge = 0.05;
    const at::Tensor information = random_information(n, seed == 1 ? 6 : 40, seed);
    const at::Tensor costs = elimination_costs(information, kRidge);
    std::vector<int64_t> left(n);
    std::iota(left.begin(), left.end(), int64_t{0});
    while (!left.empty()) {
      const auto cheapest = std::min_element(left.begin(), left.end(), [&](int64_t a, int64_t b) {
        return cost_of(information, kRidge, left, a) < cost_of(information, kRidge, left, b);
      });
      const int64_t c = *cheapest;
      EXPECT_NEAR(costs[c].item<double>(), cost_of(information, kRidge, left, c), 1e-9)
          << "seed " << seed << ", unit " << c << " of " << left.size();
      left.erase(cheapest);
    }
  }
}

TEST(Elimination, NothingGoesForLessThanWhatWentBefore) {
  const at::Tensor information = random_information(30, 20, 4);
  const at::Tensor costs = elimination_costs(information, 0.01);
  const at::Tensor order = costs.argsort();
  std::vector<int64_t> left(30);
  std::iota(left.begin(), left.end(), int64_t{0});
  double before = 0;
  for (int64_t i = 0; i < 30; ++i) {
    const int64_t c = order[i].item<int64_t>();
    const double cost = cost_of(information, 0.01, left, c);
    EXPECT_GE(cost, before - 1e-9);
    before = cost;
    left.erase(std::find(left.begin(), left.end(), c));
  }
}

TEST(Elimination, IndependentUnitsCostTheirOwnInformation) {
  const at::Tensor own = at::tensor({3.0, 0.5, 0.0, 2.0}, at::kDouble);
  EXPECT_TRUE(at::allclose(elimination_costs(at::diag(own), 0.1), own, 0, 1e-12));
}

// What others make up for is never more than what the unit has.
TEST(Elimination, NeverMoreThanTheDiagonal) {
  const at::Tensor information = random_information(20, 50, 5);
  const at::Tensor costs = elimination_costs(information, 0.1);
  EXPECT_TRUE((costs <= information.diagonal() + 1e-12).all().item<bool>());
  EXPECT_LT(costs.sum().item<double>(), 0.99 * information.diagonal().sum().item<double>());
}

}  // namespace
}  // namespace crrm
