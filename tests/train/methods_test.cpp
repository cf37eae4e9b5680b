// Every method in the same run, crrm also with noise: the budget is met, and what is cut was
// closed.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "crrm/architectures/architecture.h"
#include "crrm/surgery/proof.h"
#include "crrm/train/classification.h"
#include "crrm/train/run.h"
#include "tests/train/stripes.h"

namespace crrm {
namespace {

struct Gating {
  std::string method;
  std::optional<double> power;
};

class Methods : public testing::TestWithParam<Gating> {
 protected:
  Methods() {
    options_.epochs = 6;
    options_.batch = 16;
    options_.gates.method = GetParam().method;
    options_.gates.criterion.power = GetParam().power;
    options_.limits = {{Resource::macs, cost(network_).macs / 2}};
  }

  Graph network_ = build("digits", {1, 8, 8}, 4, /*seed=*/3);
  RunData data_{test::stripes(16 * 8, 1), test::stripes(40, 2), {}, {}};
  Classification task_{4, std::make_unique<Teacher>(network_), {}};
  RunOptions options_;
};

TEST_P(Methods, MeetTheBudgetAndAreProved) {
  crrm::Run run(network_, network_, task_, data_, options_);
  const RunResult result = run.train({});
  const Graph& small = result.stages.back().graph;
  const int64_t macs = cost(small).macs;
  EXPECT_LE(macs, options_.limits[0].most);
  EXPECT_GT(macs, options_.limits[0].most * 8 / 10);
  ASSERT_EQ(result.stages[2].name, "cut");
  EXPECT_NEAR(result.stages[1].held_out.loss, result.stages[2].held_out.loss, 1e-4);
  const Coupling coupling(network_, infer_shapes(network_, input_shapes(network_, kCouplingBatch)));
  for (const Proof& proof : prove_cut(network_, coupling, result.alive, small,
                                      run.network().whole(small), data_.held_out.inputs))
    EXPECT_TRUE(proof.ok) << proof.runtime << " " << proof.max_abs_diff;
}

std::vector<Gating> all() {
  std::vector<Gating> all = {{"crrm", 4}};
  for (const std::string& name : criterion_names()) all.push_back({name, std::nullopt});
  return all;
}

/// bn-scale, as bn_scale in the names of tests.
std::string spelt(const testing::TestParamInfo<Gating>& info) {
  std::string name = info.param.method + (info.param.power ? "_with_noise" : "");
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Methods, testing::ValuesIn(all()), spelt);

}  // namespace
}  // namespace crrm
