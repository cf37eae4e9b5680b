#include "crrm/estimators/glue.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/base/normal.h"
#include "crrm/base/random.h"
#include "crrm/estimators/cone_projection.h"
#include "crrm/estimators/manifolds.h"

namespace crrm {

namespace {

constexpr double kNoAxis = 1e-9;       // |s_1| / |s| that is rounding
constexpr double kNothingLeft = 1e-9;  // |v|^2 / |t|^2 that is rounding
constexpr uint64_t kProjection = 0, kDirections = 1, kDichotomies = 2;  // of the seed

void check(const GlueOptions& options, int64_t manifolds) {
  if (options.directions < 2)
    throw InputError({.place = "directions",
                      .expected = "2 or more",
                      .found = fmt::format("{}", options.directions)});
  const at::Tensor& given = options.dichotomies;
  if (!given.defined()) return;
  if (given.dim() != 2 || given.size(0) == 0 || given.size(1) != manifolds ||
      !(given.abs() == 1).all().item<bool>())
    throw InputError({.place = "dichotomies",
                      .expected = fmt::format("[., {}] of 1 and -1", manifolds),
                      .found = c10::str(given.sizes())});
}

// [T, P]
at::Tensor dichotomies(const GlueOptions& options, int64_t manifolds) {
  if (options.dichotomies.defined()) {
    const at::Tensor turn = at::arange(options.directions) % options.dichotomies.size(0);
    return options.dichotomies.to(at::kCPU, at::kDouble).index_select(0, turn);
  }
  at::Generator generator = at::detail::createCPUGenerator(mix(options.seed, kDichotomies));
  const at::Tensor drawn = at::rand({options.directions, manifolds}, generator, at::kDouble);
  const at::Tensor order = at::argsort(at::argsort(drawn));  // [T, P], a permutation each
  const at::Tensor odd = at::rand({options.directions, 1}, generator, at::kDouble) < 0.5;
  const at::Tensor half = (manifolds + odd.to(at::kLong)).floor_divide(2);  // [T, 1]
  return at::where(order < half, 1.0, -1.0).to(at::kDouble);
}

// Coordinates [n, min(n, N)] of the points in the space that they span.
at::Tensor in_own_span(const at::Tensor& points) {
  if (points.size(1) <= points.size(0)) return points;
  return std::get<1>(at::linalg_qr(points.t())).t().contiguous();
}

struct Anchors {
  at::Tensor points;  // S [T, P, N], zero where there is none
  at::Tensor held;    // [T, P] bool
};

Anchors anchors_of(const at::Tensor& multipliers, const Manifolds& manifolds) {
  std::vector<at::Tensor> points, held;
  const std::vector<at::Tensor> weights = multipliers.split_with_sizes(manifolds.sizes(), 1);
  const std::vector<at::Tensor> split = manifolds.split();
  for (size_t p = 0; p < split.size(); ++p) {
    const at::Tensor total = weights[p].sum(1, /*keepdim=*/true);  // [T, 1]
    held.push_back(total.squeeze(1) > 0);
    points.push_back((weights[p] / total.clamp_min(1e-300)).matmul(split[p]));
  }
  return {.points = at::stack(points, 1), .held = at::stack(held, 1)};
}

// |t on the rows of S|^2 = (S t)'(S S')^+(S t), or with another Gram matrix in between. [T]
at::Tensor form(const at::Tensor& products, const at::Tensor& gram) {  // [T, P], [T, P, P]
  const at::Tensor inverse = at::linalg_pinv(gram, /*rcond=*/1e-12, /*hermitian=*/true);
  return products.unsqueeze(1).matmul(inverse).matmul(products.unsqueeze(2)).flatten();
}

// Mean |cosine| of x_mu and y_nu over directions and pairs mu != nu, of which neither is zero.
double alignment(const at::Tensor& x, const at::Tensor& y) {  // [T, P, N] or [1, P, N]
  const at::Tensor norms = x.norm(2, -1).unsqueeze(-1) * y.norm(2, -1).unsqueeze(-2);  // [T, P, P]
  const at::Tensor cosine = x.matmul(y.transpose(1, 2)).abs() / norms.clamp_min(1e-300);
  const at::Tensor pairs = (norms > 0) & ~at::eye(x.size(1), at::kBool);
  return (cosine * pairs).sum().item<double>() / std::max<double>(1, pairs.sum().item<double>());
}

Estimate blank(const Manifolds& manifolds, const GlueOptions& options, std::string measure) {
  return {.measure = std::move(measure),
          .samples = manifolds.points().size(0),
          .assumptions = options.dichotomies.defined()
                             ? "the dichotomies given; planes through the origin"
                             : "balanced dichotomies at random; planes through the origin",
          .source = "Chou, Kirsanov, Yang, Chung, ICLR 2026 (arXiv 2603.01879), appendix B.3",
          .details = {{"P", manifolds.count()},
                      {"M smallest", manifolds.smallest()},
                      {"M largest", manifolds.largest()},
                      {"N", manifolds.dimensions()},
                      {"directions", options.directions}}};
}

std::vector<Estimate*> estimates(Glue& result) {
  return {&result.capacity,
          &result.dimension,
          &result.radius,
          &result.utility,
          &result.centre_alignment,
          &result.axis_alignment,
          &result.centre_axis_alignment};
}

Glue blank(const Manifolds& manifolds, const GlueOptions& options) {
  return {.capacity = blank(manifolds, options, "GLUE capacity"),
          .dimension = blank(manifolds, options, "GLUE dimension"),
          .radius = blank(manifolds, options, "GLUE radius"),
          .utility = blank(manifolds, options, "GLUE utility"),
          .centre_alignment = blank(manifolds, options, "GLUE centre alignment"),
          .axis_alignment = blank(manifolds, options, "GLUE axis alignment"),
          .centre_axis_alignment = blank(manifolds, options, "GLUE centre-axis alignment")};
}

void set_capacity(Estimate& capacity, const at::Tensor& a, double count) {  // [T]
  const double mean = a.mean().item<double>();
  const double margin = kNormal975 * a.std().item<double>() / std::sqrt(a.numel());
  capacity.value = count / mean;
  capacity.interval = Interval{.low = count / (mean + margin), .high = count / (mean - margin)};
}

void set_geometry(Glue& result, const Anchors& anchors, const at::Tensor& t, double a) {
  const at::Tensor held = anchors.held.unsqueeze(2);  // [T, P, 1]
  const at::Tensor centres = anchors.points.sum(0, /*keepdim=*/true) /
                             held.sum(0, /*keepdim=*/true).clamp_min(1);  // [1, P, N]
  const at::Tensor offset = (anchors.points - centres) * held;            // [T, P, N]
  const at::Tensor varies = offset.norm(2, 2, true) > kNoAxis * anchors.points.norm(2, 2, true);
  const at::Tensor axes = offset * varies;                             // [T, P, N]
  const at::Tensor gram = axes.matmul(axes.transpose(1, 2));           // [T, P, P]
  const at::Tensor products = axes.matmul(t.unsqueeze(2)).squeeze(2);  // [T, P]
  const double b = form(products, gram).mean().item<double>();
  const double c =
      form(products, gram + centres.matmul(centres.transpose(1, 2))).mean().item<double>();
  result.dimension.value = b / axes.size(1);
  result.utility.value = c / a;
  if (b - c > 0)
    result.radius.value = std::sqrt(c / (b - c));
  else
    result.radius = refuse(result.radius, Validity::out_of_range, "the anchors do not vary");
  result.centre_alignment.value = alignment(centres, centres);
  result.axis_alignment.value = alignment(axes, axes);
  result.centre_axis_alignment.value = alignment(centres, axes);
}

void judge(Glue& result, const Manifolds& manifolds, double violation, double inseparable) {
  const double points = static_cast<double>(manifolds.points().size(0)) / manifolds.count();
  Validity validity = Validity::ok;
  std::string reason;
  if (inseparable > 0.5) {
    validity = Validity::saturated;
    reason = fmt::format(
        "no plane separates {:.0f} % of the dichotomies: the capacity is P over the dimensions "
        "spanned",
        100 * inseparable);
  } else if (violation > kConeTolerance) {
    validity = Validity::out_of_range;
    reason =
        fmt::format("a projection was not found: its conditions are violated by {:.1e}", violation);
  } else if (result.capacity.interval->low <= 2 / points) {
    validity = Validity::saturated;
    reason =
        fmt::format("at the floor of {} points, 2 / M = {:.4g}: unrelated points give the same",
                    points, 2 / points);
  }
  for (Estimate* estimate : estimates(result)) {
    estimate->details.emplace_back("largest violation", violation);
    if (estimate->refused() || validity == Validity::ok) continue;
    estimate->validity = validity;
    estimate->reason = reason;
  }
}

}  // namespace

Glue glue(const std::vector<at::Tensor>& points, const GlueOptions& options) {
  Manifolds manifolds(points);
  check(options, manifolds.count());
  if (options.project_to > 0) manifolds.project(options.project_to, mix(options.seed, kProjection));
  Glue result = blank(manifolds, options);
  if (manifolds.count() < 2) {
    for (Estimate* estimate : estimates(result))
      *estimate = refuse(*estimate, Validity::too_few_samples, "one manifold: give two or more");
    return result;
  }
  manifolds.replace(in_own_span(manifolds.points()));  // what is orthogonal to it does not count
  const at::Tensor& x = manifolds.points();            // [P M, N]
  at::Generator generator = at::detail::createCPUGenerator(mix(options.seed, kDirections));
  const at::Tensor t =
      at::randn({options.directions, x.size(1)}, generator, at::kDouble);  // [T, N]
  const at::Tensor sizes = at::tensor(manifolds.sizes(), at::kLong);
  const at::Tensor signs =
      dichotomies(options, manifolds.count()).repeat_interleave(sizes, 1);  // [T, P M]
  const ConeProjection found = project_onto_cone(x.matmul(x.t()), t.matmul(x.t()), 0, signs);
  if (found.distance.max().item<double>() == 0) {
    for (Estimate* estimate : estimates(result))
      *estimate = refuse(*estimate, Validity::out_of_range, "the points are zero");
    return result;
  }
  const at::Tensor left = t.square().sum(1) - found.distance;  // |v|^2 [T]
  const double inseparable =
      (left < kNothingLeft * t.square().sum(1)).to(at::kDouble).mean().item<double>();
  set_capacity(result.capacity, found.distance, manifolds.count());
  set_geometry(result, anchors_of(found.multipliers, manifolds), t,
               found.distance.mean().item<double>());
  judge(result, manifolds, found.violation, inseparable);
  return result;
}

}  // namespace crrm
