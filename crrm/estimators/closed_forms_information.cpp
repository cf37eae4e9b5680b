#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "crrm/estimators/binned_entropy.h"
#include "crrm/estimators/closed_form.h"
#include "crrm/estimators/gaussian_information.h"
#include "crrm/estimators/mutual_information.h"
#include "crrm/estimators/noisy_channel.h"
#include "crrm/estimators/renyi.h"

namespace crrm {

namespace {

constexpr char kFamily[] = "information";

at::Generator generator(uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

at::Tensor normals(int64_t n, int64_t d, uint64_t seed) {
  return at::randn({n, d}, generator(seed), at::kDouble);
}

at::Tensor two_points(double distance) {
  return at::tensor({0.0, distance}, at::kDouble).unsqueeze(1);
}

// T = f(w X) of the normal's quantiles.
double binned(double w, at::Tensor (*f)(const at::Tensor&), const Bins& bins) {
  constexpr int64_t kQuantiles = 200000;
  const at::Tensor u = (at::arange(kQuantiles, at::kDouble) + 0.5) / double{kQuantiles};
  return *binned_entropy(f(w * at::special_ndtri(u)).unsqueeze(1), bins).value;
}

// All of 2 d coordinates correlated by 1/2.
double dense_normals(int64_t d, int64_t n) {
  const at::Tensor z = normals(n, 2 * d, 0) + normals(n, 1, 1);
  return *gaussian_information(z.narrow(1, 0, d), z.narrow(1, d, d)).value;
}

double two_pairs_of(int64_t d, int64_t n) {
  const at::Tensor x = normals(n, d, 0);
  at::Tensor y = normals(n, d, 1);
  y.narrow(1, 0, 2).mul_(0.6).add_(x.narrow(1, 0, 2), 0.8);
  return ksg(x, y).refused();
}

const ClosedFormRegistration registration(
    {{kFamily, "Kolchinsky-Tracey lower bound, two normals 2 apart", 0.2190700, 1e-6,
      "-ln((1 + e^(-a^2 / 8)) / 2)", [] { return *noisy_channel(two_points(2), 1).lower.value; }},
     {kFamily, "Kolchinsky-Tracey upper bound, two normals 2 apart", 0.5662190, 1e-6,
      "-ln((1 + e^(-a^2 / 2)) / 2)", [] { return *noisy_channel(two_points(2), 1).upper.value; }},
     {kFamily, "Monte-Carlo mixture, two normals 2 apart", 0.336831, 0.005,
      "quadrature; 5 standard errors of 100,000 draws",
      [] { return *noisy_channel(two_points(2), 1, {.per_sample = 50000}).estimate.value; }},
     {kFamily, "Monte-Carlo mixture, d = 2, noise 0.1", std::log(11.0), 0.05,
      "1/2 ln det(I + S / s2)",
      [] { return *noisy_channel(normals(5000, 2, 0), 0.1, {.per_sample = 1}).estimate.value; }},
     {kFamily, "Monte-Carlo mixture, d = 10, noise 0.1: saturated", 1, 0,
      "12 nats from ln 1000 = 6.9",
      [] {
        const Estimate estimate = noisy_channel(normals(1000, 10, 0), 0.1).estimate;
        return estimate.validity == Validity::saturated ? 1.0 : 0.0;
      }},
     {kFamily, "matrix Renyi, four blocks", std::log(4.0), 1e-9, "four equal eigenvalues",
      [] {
        const at::Tensor ones = at::ones({25, 25}, at::kDouble);
        return *renyi_entropy(at::kron(at::eye(4, at::kDouble), ones), 1.01).value;
      }},
     {kFamily, "H(bin T), tanh, w = 1", 3.38, 0.005, "Saxe et al. (2018), by quadrature",
      [] { return binned(1, at::tanh, BinCount{30}); }},
     {kFamily, "H(bin T), tanh, w = 50", 0.88, 0.005, "Saxe et al. (2018), by quadrature",
      [] { return binned(50, at::tanh, BinCount{30}); }},
     {kFamily, "H(bin T), ReLU, w = 50", 4.36, 0.005, "Saxe et al. (2018), by quadrature",
      [] { return binned(50, at::relu, BinWidth{1.0 / 15}); }},
     {kFamily, "KSG-1, normal pair, rho = 0.75", 0.413339, 0.06,
      "-1/2 ln(1 - rho^2); 3 standard deviations at n = 2,000",
      [] {
        const at::Tensor x = normals(2000, 1, 0);
        return *ksg(x, 0.75 * x + std::sqrt(0.4375) * normals(2000, 1, 1)).value;
      }},
     {kFamily, "Gaussian, correlations of 1/2 in 2 + 2 dimensions", 0.293893, 0.05,
      "1/2 ln((1 + d)^2 / (1 + 2 d)); 4 standard deviations",
      [] { return dense_normals(2, 5000); }},
     {kFamily, "Gaussian, correlations of 1/2 in 25 + 25 dimensions", 1.292184, 0.07,
      "1/2 ln((1 + d)^2 / (1 + 2 d)); 4 standard deviations",
      [] { return dense_normals(25, 5000); }},
     {kFamily, "KSG-1, two pairs in 25 + 25 dimensions: refused", 1, 0,
      "KSG gives 0.1 of 1.02 nats", [] { return two_pairs_of(25, 1500); }},
     {kFamily, "mixed neighbours, m = 5 counts and their sums", 1.054920, 0.05,
      "ln m - (m - 1) / m ln 2; Gao et al. (2017)", [] {
        const at::Tensor x = at::randint(5, {3000, 1}, generator(0), at::kDouble);
        return *mixed_knn(x, x + 2 * at::rand({3000, 1}, generator(1), at::kDouble)).value;
      }}});

}  // namespace

}  // namespace crrm
