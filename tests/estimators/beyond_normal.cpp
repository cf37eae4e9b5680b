#include "tests/estimators/beyond_normal.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/native/Math.h>
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "crrm/base/random.h"

namespace crrm::testing {

namespace {

using Map = std::function<at::Tensor(const at::Tensor&)>;
constexpr double kRho = 0.75, kPairRho = 0.8;

at::Generator generator(uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

at::Tensor uniforms(int64_t n, uint64_t seed) {
  return at::rand({n, 1}, generator(seed), at::kDouble);
}

Pair split_at(const at::Tensor& joint, int64_t d) {
  return {joint.narrow(1, 0, d), joint.narrow(1, d, joint.size(1) - d)};
}

// All coordinates correlated by 1/2: a shared normal and one of each.
Pair dense(int64_t d, int64_t n, uint64_t seed) {
  const at::Tensor z = normals(n, 2 * d + 1, seed);
  return split_at((z.narrow(1, 0, 2 * d) + z.narrow(1, 2 * d, 1)) * std::sqrt(0.5), d);
}

// Uncorrelated: one chi-square divides all coordinates.
Pair student(int64_t d, int64_t freedom, int64_t n, uint64_t seed) {
  const at::Tensor chi2 = normals(n, freedom, mix(seed, 1)).square().sum(1, /*keepdim=*/true);
  return split_at(normals(n, 2 * d, seed) * (static_cast<double>(freedom) / chi2).sqrt(), d);
}

// X uniform in (0, 1), Y = X + uniform in (-epsilon, epsilon).
Pair additive_noise(double epsilon, int64_t n, uint64_t seed) {
  const at::Tensor x = uniforms(n, seed);
  return {x, x + epsilon * (2 * uniforms(n, mix(seed, 1)) - 1)};
}

at::Tensor normal_cdf(const at::Tensor& x) {
  return 0.5 * at::erfc(-x / std::numbers::sqrt2);
}

at::Tensor half_cube(const at::Tensor& x) {
  return x * x.abs().sqrt();
}

at::Tensor swiss_roll(const at::Tensor& u) {
  const at::Tensor t = 1.5 * std::numbers::pi * (1 + 2 * u);
  return at::cat({t * t.cos(), t * t.sin()}, 1) / 21.0;
}

// Coordinates i and i + 1 turned by |x|^2 / d.
at::Tensor spiral(const at::Tensor& x, int64_t i) {
  const at::Tensor angle = x.square().sum(1, /*keepdim=*/true) / static_cast<double>(x.size(1));
  const at::Tensor a = x.narrow(1, i, 1), b = x.narrow(1, i + 1, 1);
  at::Tensor turned = x.clone();
  turned.narrow(1, i, 1).copy_(angle.cos() * a - angle.sin() * b);
  turned.narrow(1, i + 1, 1).copy_(angle.sin() * a + angle.cos() * b);
  return turned;
}

// Inverts the distribution function of a mixture of two unit normals by bisection.
Map mixture_quantile(double weight, double first, double second) {
  return [=](const at::Tensor& u) {
    at::Tensor low = at::full_like(u, -20), high = at::full_like(u, 20);
    for (int step = 0; step < 60; ++step) {
      const at::Tensor middle = (low + high) / 2;
      const at::Tensor below =
          weight * normal_cdf(middle - first) + (1 - weight) * normal_cdf(middle - second) < u;
      low = at::where(below, middle, low);
      high = at::where(below, high, middle);
    }
    return (low + high) / 2;
  };
}

at::Tensor wiggly_x(const at::Tensor& x) {
  return x + 0.4 * x.sin() + 0.2 * (1.7 * x + 1).sin() + 0.03 * (3.3 * x - 2.5).sin();
}

at::Tensor wiggly_y(const at::Tensor& x) {
  return x - 0.4 * (0.4 * x).sin() + 0.17 * (1.3 * x + 3.5).sin() + 0.02 * (4.3 * x - 2.5).sin();
}

double normal_information(double rho) {
  return -0.5 * std::log(1 - rho * rho);
}

// 1/2 ln(det Sx det Sy / det S); a matrix of ones and 1/2 off the diagonal has det (1 + d)/2^d.
double dense_information(int64_t d) {
  const auto size = static_cast<double>(d);
  return 0.5 * std::log((1 + size) * (1 + size) / (1 + 2 * size));
}

// Arellano-Valle, Contreras-Reyes & Genton, Scand. J. Stat. 40, 42 (2013), eq. 7.
double student_entropy(int64_t d, int64_t freedom) {
  const double half = 0.5 * static_cast<double>(freedom), dimension = static_cast<double>(d);
  const double sum = half + 0.5 * dimension;
  return -std::lgamma(sum) + std::lgamma(half) +
         0.5 * dimension * std::log(2 * half * std::numbers::pi) +
         sum * (calc_digamma(sum) - calc_digamma(half));
}

double student_information(int64_t d, int64_t freedom) {
  return 2 * student_entropy(d, freedom) - student_entropy(2 * d, freedom);
}

BeyondNormalTask mapped(const BeyondNormalTask& base, const std::string& name, Map of_x, Map of_y) {
  return {name, base.information, [sample = base.sample, of_x, of_y](int64_t n, uint64_t seed) {
            const Pair pair = sample(n, seed);
            return Pair{of_x(pair.x), of_y(pair.y)};
          }};
}

BeyondNormalTask mapped(const BeyondNormalTask& base, const std::string& by, Map map) {
  return mapped(base, fmt::format("{} @ {}", by, base.name), map, map);
}

BeyondNormalTask spiralled(const BeyondNormalTask& base) {
  return mapped(
      base, fmt::format("Spiral @ {}", base.name), [](const at::Tensor& x) { return spiral(x, 0); },
      [](const at::Tensor& y) { return spiral(y, 1); });
}

BeyondNormalTask student_task(int64_t d, int64_t freedom) {
  return {fmt::format("Student-t {0} x {0} (dof={1})", d, freedom), student_information(d, freedom),
          [=](int64_t n, uint64_t seed) { return student(d, freedom, n, seed); }};
}

BeyondNormalTask two_pair_task(int64_t d) {
  return {fmt::format("Multinormal {0} x {0} (2-pair)", d), 2 * normal_information(kPairRho),
          [=](int64_t n, uint64_t seed) { return two_pair(d, n, seed); }};
}

at::Tensor inverse_sinh(const at::Tensor& x) {
  return x.asinh();
}

std::vector<BeyondNormalTask> one_dimensional() {
  const BeyondNormalTask normal = {
      "Bivariate normal 1 x 1", normal_information(kRho),
      [](int64_t n, uint64_t seed) { return normal_pair(kRho, n, seed); }};
  const BeyondNormalTask uniform = mapped(normal, "Normal CDF", normal_cdf);
  const Map unchanged = [](const at::Tensor& x) { return x; };
  return {
      normal,
      uniform,
      {"Uniform 1 x 1 (additive noise=0.1)", 0.1 - std::log(0.2),
       [](int64_t n, uint64_t seed) { return additive_noise(0.1, n, seed); }},
      {"Uniform 1 x 1 (additive noise=0.75)", 1 / 3.0,
       [](int64_t n, uint64_t seed) { return additive_noise(0.75, n, seed); }},
      mapped(uniform, "Bimodal 1 x 1", mixture_quantile(0.3, 0, 5), mixture_quantile(0.5, -1, 3)),
      mapped(normal, "Wiggly @ Bivariate normal 1 x 1", wiggly_x, wiggly_y),
      mapped(normal, "Half-cube", half_cube),
      student_task(1, 1),
      mapped(student_task(1, 1), "Asinh", inverse_sinh),
      mapped(uniform, "Swiss roll 2 x 1", swiss_roll, unchanged)};
}

}  // namespace

at::Tensor normals(int64_t n, int64_t d, uint64_t seed) {
  return at::randn({n, d}, generator(seed), at::kDouble);
}

Pair normal_pair(double rho, int64_t n, uint64_t seed) {
  const at::Tensor z = normals(n, 2, seed);
  const at::Tensor x = z.narrow(1, 0, 1);
  return {x, rho * x + std::sqrt(1 - rho * rho) * z.narrow(1, 1, 1)};
}

Pair two_pair(int64_t d, int64_t n, uint64_t seed) {
  const Pair pair = split_at(normals(n, 2 * d, seed), d);
  pair.y.narrow(1, 0, 2).mul_(std::sqrt(1 - kPairRho * kPairRho));
  pair.y.narrow(1, 0, 2).add_(pair.x.narrow(1, 0, 2), kPairRho);
  return pair;
}

std::vector<BeyondNormalTask> beyond_normal_tasks() {
  std::vector<BeyondNormalTask> tasks = one_dimensional();
  for (const int64_t d : {2, 3, 5, 25, 50})
    tasks.push_back({fmt::format("Multinormal {0} x {0} (dense)", d), dense_information(d),
                     [=](int64_t n, uint64_t seed) { return dense(d, n, seed); }});
  for (const int64_t d : {2, 3, 5, 25}) tasks.push_back(two_pair_task(d));
  for (const auto& [d, freedom] : std::initializer_list<std::pair<int64_t, int64_t>>{
           {2, 1}, {2, 2}, {3, 2}, {3, 3}, {5, 2}, {5, 3}})
    tasks.push_back(student_task(d, freedom));
  for (const int64_t d : {3, 5, 25}) {
    const BeyondNormalTask base = two_pair_task(d), cdf = mapped(base, "Normal CDF", normal_cdf);
    for (const BeyondNormalTask& task :
         {cdf, mapped(base, "Half-cube", half_cube), spiralled(base), spiralled(cdf)})
      tasks.push_back(task);
  }
  for (const auto& [d, freedom] :
       std::initializer_list<std::pair<int64_t, int64_t>>{{2, 1}, {3, 2}, {5, 2}})
    tasks.push_back(mapped(student_task(d, freedom), "Asinh", inverse_sinh));
  return tasks;
}

}  // namespace crrm::testing
