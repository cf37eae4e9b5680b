#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "crrm/activations/layer_measure.h"

namespace crrm {
namespace {

const LayerMeasure& information() {
  for (const LayerMeasure& measure : layer_measures())
    if (measure.family == "information") return measure;
  throw std::logic_error("no family of information");
}

// 200 samples at four corners, far apart for a narrow kernel: four equal eigenvalues, ln 4 whatever
// the order; and the corners are the classes.
TEST(Information, OfAKernelCountsCorners) {
  LayerActivations seen;
  const at::Tensor corner = at::arange(200).remainder(4);
  seen.layer = {"v", "Relu", {4}, 4};
  seen.values = seen.reduced = at::one_hot(corner, 4).to(at::kFloat);
  seen.labels = corner;
  seen.classes = 4;
  seen.channel = parse_channel("matrix-renyi:0.1", "--channel");
  const std::vector<Estimate> all = information().estimate(seen);
  EXPECT_EQ(all[0].measure, "matrix Renyi entropy, alpha = 1.01");
  EXPECT_NEAR(*all[0].value, std::log(4.0), 1e-6);
  EXPECT_EQ(all[1].measure, "matrix Renyi information, alpha = 1.01");
  EXPECT_NEAR(*all[1].value, std::log(4.0), 1e-6);
  // Silverman: 0.1 x 200^(-1/8)
  EXPECT_NEAR(all[0].details.back().second, 0.1 * std::pow(200, -0.125), 1e-12);
}

}  // namespace
}  // namespace crrm
