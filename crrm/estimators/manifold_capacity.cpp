#include "crrm/estimators/manifold_capacity.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/base/random.h"
#include "crrm/estimators/centre_correlation.h"
#include "crrm/estimators/cone_projection.h"
#include "crrm/estimators/manifolds.h"
#include "crrm/estimators/mean_field.h"

namespace crrm {

namespace {

constexpr double kNoCentre = 1e-9;  // norm of a centre, relative to the points', that is rounding
constexpr uint64_t kProjection = 0, kDirections = 1;  // of the seed

void check(const CapacityOptions& options) {
  if (!(options.kappa >= 0) || std::isinf(options.kappa))
    throw InputError(
        {.place = "kappa", .expected = "0 or more", .found = fmt::format("{}", options.kappa)});
  if (options.directions < 2)
    throw InputError({.place = "directions",
                      .expected = "2 or more",
                      .found = fmt::format("{}", options.directions)});
}

Estimate blank(const Manifolds& manifolds, const CapacityOptions& options, std::string measure,
               std::string source) {
  return {.measure = std::move(measure),
          .samples = manifolds.points().size(0),
          .assumptions =
              "manifolds with independent axes and centres, labels at random; interval of "
              "the directions drawn",
          .source = std::move(source),
          .details = {{"P", manifolds.count()},
                      {"M smallest", manifolds.smallest()},
                      {"M largest", manifolds.largest()},
                      {"N", manifolds.dimensions()},
                      {"directions", options.directions},
                      {"kappa", options.kappa}}};
}

ManifoldCapacity blank(const Manifolds& manifolds, const CapacityOptions& options) {
  const std::string paper = "Chung, Lee, Sompolinsky, Phys. Rev. X 8, 031003 (2018), ";
  return {
      .capacity = blank(manifolds, options, "manifold capacity", paper + "eq. 16, 17"),
      .radius = blank(manifolds, options, "manifold radius", paper + "eq. 28"),
      .dimension = blank(manifolds, options, "manifold dimension", paper + "eq. 29"),
      .centre_correlation = blank(manifolds, options, "centre correlation",
                                  "Cohen et al., Nature Communications 11, 746 (2020), Methods"),
      .capacities = {},
      .radii = {},
      .dimensions = {}};
}

template <typename Change>
void for_each(ManifoldCapacity& result, const Change& change) {
  for (Estimate* estimate :
       {&result.capacity, &result.radius, &result.dimension, &result.centre_correlation})
    change(*estimate);
}

ManifoldCapacity refused(ManifoldCapacity result, Validity validity, const std::string& reason) {
  for_each(result, [&](Estimate& estimate) { estimate = refuse(estimate, validity, reason); });
  return result;
}

// The first manifold whose centre is the origin.
std::optional<int64_t> without_centre(const Manifolds& manifolds, const at::Tensor& centres) {
  const double scale = manifolds.points().norm(2, 1).max().item<double>();
  const at::Tensor none = at::nonzero(centres.norm(2, 1) <= kNoCentre * scale);  // [., 1]
  if (none.size(0) == 0) return std::nullopt;
  return none[0][0].item<int64_t>();
}

// Mean over manifolds, with the error of their directions.
void set(Estimate& estimate, const std::vector<DirectionMean>& means) {
  double sum = 0, square = 0;
  for (const DirectionMean& mean : means) {
    sum += mean.value;
    square += mean.error * mean.error;
  }
  const double count = static_cast<double>(means.size());
  const double value = sum / count, margin = kNormal975 * std::sqrt(square) / count;
  estimate.value = value;
  estimate.interval = Interval{.low = value - margin, .high = value + margin};
}

void invert(Estimate& estimate) {
  const Interval inverse = *estimate.interval;
  estimate.value = 1 / *estimate.value;
  estimate.interval = Interval{.low = 1 / inverse.high, .high = 1 / inverse.low};
}

void judge(ManifoldCapacity& result, const Manifolds& manifolds, double kappa, double violation) {
  const auto say = [&](Validity validity, std::string reason) {
    for_each(result, [&](Estimate& estimate) {
      estimate.validity = validity;
      estimate.reason = reason;
    });
  };
  const double points = static_cast<double>(manifolds.points().size(0)) / manifolds.count();
  if (manifolds.largest() >= manifolds.dimensions())
    say(Validity::out_of_range,
        fmt::format("{} points in {} dimensions leave no axis for the centre: draw fewer points",
                    manifolds.largest(), manifolds.dimensions()));
  else if (violation > kConeTolerance)
    say(Validity::out_of_range,
        fmt::format("a projection was not found: its conditions are violated by {:.1e}",
                    violation));
  else if (kappa == 0 && result.capacity.interval->low <= 2 / points)
    say(Validity::saturated,
        fmt::format("at the floor of {} points, 2 / M = {:.4g}: unrelated points give the same",
                    points, 2 / points));
  else if (const int64_t duplicates = manifolds.duplicates(); duplicates > 0)
    say(Validity::ties, fmt::format("{} points equal another one of their manifold", duplicates));
}

}  // namespace

ManifoldCapacity manifold_capacity(const std::vector<at::Tensor>& points,
                                   const CapacityOptions& options) {
  check(options);
  Manifolds manifolds(points);
  if (options.project_to > 0) manifolds.project(options.project_to, mix(options.seed, kProjection));
  ManifoldCapacity result = blank(manifolds, options);
  if (manifolds.count() < 2)
    return refused(result, Validity::too_few_samples,
                   "one manifold: its centre is the global mean. Give two or more");
  if (manifolds.smallest() < 2)
    return refused(result, Validity::too_few_samples,
                   "a manifold of one point has no radius, and the capacity 2: give two or more");
  manifolds.replace(manifolds.points() - manifolds.points().mean(0));
  at::Tensor centres = manifolds.centres();  // [P, N]
  if (const std::optional<int64_t> none = without_centre(manifolds, centres))
    return refused(result, Validity::out_of_range,
                   fmt::format("the centre of manifold {} is the global mean", *none));
  if (options.remove_shared_centres) {
    const at::Tensor shared = shared_centre_directions(centres);  // [K, N]
    for_each(result, [&](Estimate& estimate) {
      estimate.details.emplace_back("shared directions removed", shared.size(0));
    });
    manifolds.replace(manifolds.points() - manifolds.points().matmul(shared.t()).matmul(shared));
    centres = manifolds.centres();
    if (const std::optional<int64_t> none = without_centre(manifolds, centres))
      return refused(result, Validity::out_of_range,
                     fmt::format("the centre of manifold {} lies in the {} directions that centres "
                                 "share",
                                 *none, shared.size(0)));
  }

  const std::vector<at::Tensor> split = manifolds.split();
  std::vector<ManifoldGeometry> geometries(split.size());
  at::parallel_for(0, manifolds.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      geometries[p] =
          mean_field_geometry(own_frame(split[p]), options.kappa, options.directions,
                              at::detail::createCPUGenerator(mix(options.seed, kDirections, p)));
  });
  std::vector<DirectionMean> inverse, radius, dimension;
  double violation = 0;
  for (const ManifoldGeometry& geometry : geometries) {
    inverse.push_back(geometry.inverse_capacity);
    radius.push_back(geometry.radius);
    dimension.push_back(geometry.dimension);
    violation = std::max(violation, geometry.violation);
  }
  set(result.capacity, inverse);
  invert(result.capacity);
  set(result.radius, radius);
  set(result.dimension, dimension);
  result.centre_correlation.value = centre_correlation(centres);
  const auto values = [](const std::vector<DirectionMean>& means) {
    std::vector<double> all;
    for (const DirectionMean& mean : means) all.push_back(mean.value);
    return at::tensor(all, at::kDouble);
  };
  result.capacities = values(inverse).reciprocal();
  result.radii = values(radius);
  result.dimensions = values(dimension);
  for_each(result, [&](Estimate& estimate) {
    estimate.details.emplace_back("largest violation", violation);
  });
  judge(result, manifolds, options.kappa, violation);
  return result;
}

}  // namespace crrm
