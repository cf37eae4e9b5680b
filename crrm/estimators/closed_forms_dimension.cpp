// Intrinsic dimension where the law of the distances is known: no data set, hence no bias of finite
// size.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>

#include "crrm/base/random.h"
#include "crrm/estimators/closed_form.h"
#include "crrm/estimators/gride.h"
#include "crrm/estimators/intrinsic_dimension.h"
#include "crrm/estimators/separability.h"
#include "crrm/estimators/simplex_skewness.h"

namespace crrm {

namespace {

constexpr int64_t kPoints = 20000;
constexpr double kErrors = 4;  // standard errors that a check tolerates

// Distances of a Poisson process of constant density in d dimensions: r_j^d is the sum of j
// exponential variables. Every point has a process of its own.
Neighbours poisson_process(double d, int64_t k) {
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(mix(0, static_cast<uint64_t>(d)));
  const at::Tensor gaps = at::empty({kPoints, k}, at::kDouble).exponential_(1, random);
  return {.distances = gaps.cumsum(1).pow(1 / d),
          .indices = at::zeros({kPoints, k}, at::kLong),
          .rows = at::arange(kPoints)};
}

double tolerance(double d, int64_t ratios) {
  return kErrors * d / std::sqrt(static_cast<double>(kPoints * ratios));
}

std::vector<ClosedForm> checks() {
  std::vector<ClosedForm> all;
  const std::string law = "ratios of a Poisson process; 4 standard errors";
  for (const double d : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0})
    all.push_back({"dimension", fmt::format("TwoNN on Pareto ratios, d = {}", d), d,
                   tolerance(d, 1), law, [d] { return *two_nn(poisson_process(d, 2)).value; }});
  for (const int64_t k : {3, 5, 10, 20})
    all.push_back({"dimension", fmt::format("Levina-Bickel, k = {}, d = 12", k), 12,
                   tolerance(12, k - 1), law,
                   [k] { return *levina_bickel(poisson_process(12, k), k).value; }});
  // ln(r_2n / r_n) has the variance psi'(n) - psi'(2n), about 1 / (2n): at least as many ratios'
  // worth.
  for (const int64_t n1 : {2, 8, 32})
    all.push_back(
        {"dimension", fmt::format("GRIDE, n1 = {}, d = 50", n1), 50, tolerance(50, n1), law, [n1] {
           const GrideProfile profile = gride(poisson_process(50, 2 * n1));
           return *profile.scales.back().value;
         }});
  all.push_back({"dimension", "ESS's mean skewness of 3 dimensions, inverted", 3, 1e-12,
                 "mean |sin| of two directions in space is pi / 4",
                 [] { return dimension_of_skewness(std::atan(1.0)); }});
  all.push_back({"dimension", "FisherS on its own law, n = 20", 20, 1e-9,
                 "Albergante et al., IJCNN 2019, eq. 5", [] {
                   const double a = 0.8, n = 20;
                   const double p =
                       std::pow(1 - a * a, (n - 1) / 2) / (a * std::sqrt(2 * std::acos(-1.0) * n));
                   return dimension_of_separability(p, a);
                 }});
  return all;
}

const ClosedFormRegistration kDimension{checks()};

}  // namespace

}  // namespace crrm
