#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "crrm/estimators/closed_form.h"
#include "crrm/estimators/cone_projection.h"
#include "crrm/estimators/mean_field.h"

namespace crrm {

namespace {

ClosedForm check(std::string name, double expected, double tolerance, std::string source,
                 std::function<double()> compute) {
  return {"capacity", std::move(name), expected, tolerance, std::move(source), std::move(compute)};
}

ManifoldGeometry geometry(const at::Tensor& frame, int64_t directions, double kappa = 0) {
  return mean_field_geometry(frame, kappa, directions, at::detail::createCPUGenerator(1));
}

// M orthogonal points of one norm about their centre.
at::Tensor simplex(int64_t points) {
  return own_frame(at::eye(points, at::kDouble));
}

// int_{-kappa}^inf Dt (t + kappa)^2 by the trapezoid rule, which is exact to rounding at this step
// once the ends are smooth: the lower one is a double zero.
double point_integral(double kappa) {
  constexpr double kStep = 1e-4, kEnd = 12;
  double sum = 0;
  for (double u = kStep; u < kEnd + kappa; u += kStep)
    sum += u * u * std::exp(-(u - kappa) * (u - kappa) / 2);
  return sum * kStep / std::sqrt(2 * std::numbers::pi);
}

std::vector<ClosedForm> points() {
  std::vector<ClosedForm> checks;
  for (const auto& [kappa, capacity] :
       {std::pair{0.0, 2.0}, {0.25, 1.364643}, {0.5, 0.961205}, {1.0, 0.519572}, {2.0, 0.200231}}) {
    checks.push_back(check(fmt::format("capacity of points at margin {}", kappa), capacity, 1e-6,
                           "quadrature of int Dt (t + kappa)^2",
                           [kappa = kappa] { return point_capacity(kappa); }));
    checks.push_back(check(fmt::format("the same integral by quadrature, margin {}", kappa),
                           point_integral(kappa), 1e-7, "trapezoid rule",
                           [kappa = kappa] { return 1 / point_capacity(kappa); }));
  }
  checks.push_back(
      check("one point by projections, margin 0.5", 1 / 0.961205, 0.03,
            "five standard errors of 100,000 directions", [] {
              return geometry(at::zeros({1, 0}, at::kDouble), 100000, 0.5).inverse_capacity.value;
            }));
  return checks;
}

std::vector<ClosedForm> balls() {
  struct Row {
    double radius;
    int64_t dimension;
    double capacity;
  };
  std::vector<ClosedForm> checks;
  for (const Row& row : {Row{0.1, 1, 1.77478},
                         {0.1, 50, 0.74381},
                         {0.5, 5, 0.57651},
                         {1, 10, 2 / 11.0},
                         {2, 20, 0.06171},
                         {5, 2, 0.43774},
                         {5, 50, 0.02077}})
    checks.push_back(check(fmt::format("ball of R = {}, D = {}", row.radius, row.dimension),
                           row.capacity, 1e-5, "quadrature over the projection onto its cone",
                           [row] { return ball_capacity(row.radius, row.dimension, 0); }));
  checks.push_back(check("ball of R = 1, D = 10 at margin 0.5", 0.13948, 1e-5,
                         "quadrature over the projection onto its cone",
                         [] { return ball_capacity(1, 10, 0.5); }));
  return checks;
}

std::vector<ClosedForm> sets_of_points() {
  std::vector<ClosedForm> checks;
  for (const int64_t points : {5, 10, 50})
    checks.push_back(check(fmt::format("capacity of {} orthogonal points", points), 2.0 / points,
                           0.03 * 2 / points, "2 / M: the cone is an orthant; 3 %", [points] {
                             return 1 / geometry(simplex(points), 20000).inverse_capacity.value;
                           }));
  checks.push_back(check("radius of 50 orthogonal points", 1.475, 0.02,
                         "Monte-Carlo of the simplex",
                         [] { return geometry(simplex(50), 20000).radius.value; }));
  checks.push_back(check("dimension of 50 orthogonal points", 36.1, 0.5,
                         "Monte-Carlo of the simplex",
                         [] { return geometry(simplex(50), 20000).dimension.value; }));
  for (const double radius : {0.5, 1.0, 2.0}) {
    const double truth = 1 / (0.5 + 2 / std::numbers::pi * std::atan(radius));
    checks.push_back(check(fmt::format("segment of half length {}", radius), truth, 0.01 * truth,
                           "1 / (1/2 + 2/pi atan R); 1 %", [radius] {
                             const at::Tensor ends = at::tensor({radius, -radius}).unsqueeze(1);
                             return 1 /
                                    geometry(ends.to(at::kDouble), 400000).inverse_capacity.value;
                           }));
  }
  return checks;
}

// |projection onto the polar|^2 of the union of an orthant's axes and a ball's points, in
// orthogonal subspaces, less those of the two alone, over the same directions: 0.
double sum_over_orthogonal_subspaces() {
  at::Generator generator = at::detail::createCPUGenerator(2);
  const at::Tensor ball =
      at::cat({at::randn({40, 4}, generator, at::kDouble), 3 * at::ones({40, 1}, at::kDouble)},
              1);                                                           // [40, 5]
  const at::Tensor both = at::block_diag({at::eye(6, at::kDouble), ball});  // [46, 11]
  const at::Tensor t = at::randn({500, 11}, generator, at::kDouble);
  const auto distance = [](const at::Tensor& points, const at::Tensor& directions) {
    return project_onto_cone(points.matmul(points.t()), directions.matmul(points.t())).distance;
  };
  const at::Tensor apart = distance(at::eye(6, at::kDouble), t.narrow(1, 0, 6).contiguous()) +
                           distance(ball, t.narrow(1, 6, 5).contiguous());
  return (distance(both, t) - apart).abs().max().item<double>();
}

const ClosedFormRegistration kPoints(points());
const ClosedFormRegistration kBalls(balls());
const ClosedFormRegistration kSets(sets_of_points());
const ClosedFormRegistration kSum({check(
    "statistical dimension of a union in orthogonal subspaces, less the sum", 0, 1e-10,
    "Amelunxen, Lotz, McCoy, Tropp, Information and Inference 3, 224 (2014), proposition 3.1",
    sum_over_orthogonal_subspaces)});

}  // namespace

}  // namespace crrm
