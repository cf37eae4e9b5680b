#include "crrm/estimators/cone_projection.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace crrm {

namespace {

// For points of unit norm.
constexpr double kViolated = 1e-11;   // a constraint joins the active set above this
constexpr double kDependent = 1e-13;  // squared distance from the span of the active points
constexpr size_t kFirstBatch = 16;    // constraints that join an empty active set
constexpr size_t kLapack = 96;        // active constraints above which LAPACK is faster

// min 1/2 b'Gb + q'b over y_i b_i >= 0, for b = y a: Lawson and Hanson's active sets, except that
// the set may double at once as long as that lowers the objective; where it does not, one joins.
class ActiveSet {
 public:
  // gram [M, M], contiguous, with a diagonal of ones (or zeros, for points at the origin)
  explicit ActiveSet(const at::Tensor& gram)
      : unit_(gram),
        gram_(gram.const_data_ptr<double>()),
        points_(gram.size(0)),
        factor_(points_ * points_),
        gradient_(points_) {}

  // q, y, b: [M]
  void solve(const double* q, const double* y, double* b) {
    std::fill(b, b + points_, 0.0);
    std::copy(q, q + points_, gradient_.begin());
    active_.clear();
    factored_ = 0;
    double objective = 0;
    bool one_by_one = false;
    while (true) {
      const size_t kept = active_.size();
      if (!add_violated(y, b, one_by_one)) return;
      minimise(q, y, b, kept);
      update_gradient(q, b);
      const double now = value(q, b);
      const bool lower = now < objective;
      if (!lower && one_by_one) return;  // rounding is all that is left
      one_by_one = !lower;
      objective = std::min(objective, now);
    }
  }

 private:
  // Most violated first, so that of dependent points that one stays. False: none is violated.
  bool add_violated(const double* y, const double* b, bool only_one) {
    const size_t first = active_.size();
    for (int64_t i = 0; i < points_; ++i)
      if (b[i] == 0 && y[i] * gradient_[i] < -kViolated) active_.push_back(i);
    std::sort(active_.begin() + first, active_.end(),
              [&](int64_t i, int64_t j) { return y[i] * gradient_[i] < y[j] * gradient_[j]; });
    if (active_.size() == first) return false;
    const size_t batch = only_one ? 1 : std::max(kFirstBatch, first);
    active_.resize(std::min(active_.size(), first + batch));
    return true;
  }

  // Moves b to the minimum over the active set, dropping constraints whose multiplier reaches zero.
  // The first `kept` constraints are those of the last minimum.
  void minimise(const double* q, const double* y, double* b, size_t kept) {
    while (!active_.empty()) {
      factored_ = std::min(factored_, kept);
      std::vector<double> z;
      if (active_.size() > kLapack) z = solve_lapack(q);
      if (z.empty()) z = solve_here(q);
      double step = 1;
      for (size_t p = 0; p < active_.size(); ++p) {
        const double from = y[active_[p]] * b[active_[p]], to = y[active_[p]] * z[p];
        if (to <= 0) step = std::min(step, from > 0 ? from / (from - to) : 0.0);
      }
      size_t left = 0;
      kept = active_.size();
      for (size_t p = 0; p < active_.size(); ++p) {
        const int64_t i = active_[p];
        const double from = y[i] * b[i], to = y[i] * z[p];
        const bool blocks = to <= 0 && (from <= 0 || from / (from - to) <= step);
        b[i] = blocks ? 0 : b[i] + step * (z[p] - b[i]);
        if (blocks)
          kept = std::min(kept, p);
        else
          active_[left++] = i;
      }
      const bool done = left == active_.size();
      active_.resize(left);
      if (done) return;
    }
  }

  // Empty where active points are dependent.
  std::vector<double> solve_lapack(const double* q) const {
    const at::Tensor index = at::tensor(active_, at::kLong);                      // [A]
    const at::Tensor gram = unit_.index_select(0, index).index_select(1, index);  // [A, A]
    const auto [factor, info] = at::linalg_cholesky_ex(gram);                     // [A, A], []
    if (info.item<int>() != 0) return {};
    if (factor.diagonal().min().item<double>() < std::sqrt(kDependent)) return {};
    std::vector<double> z(active_.size());
    for (size_t p = 0; p < z.size(); ++p) z[p] = -q[active_[p]];
    at::Tensor solution = at::from_blob(z.data(), {static_cast<int64_t>(z.size()), 1}, at::kDouble);
    solution.copy_(at::cholesky_solve(solution, factor));
    return z;
  }

  std::vector<double> solve_here(const double* q) {
    factorise(factored_);
    factored_ = active_.size();
    return solve_factored(q);
  }

  // Rows of U, U'U = G over the active set, from column `first` on. A point in the span of those
  // before it gets an empty row, which makes its multiplier zero.
  void factorise(size_t first) {
    const size_t count = active_.size();
    for (size_t p = 0; p < count; ++p) {
      double* row = &factor_[p * points_];
      const double* products = gram_ + active_[p] * points_;
      const size_t begin = std::max(p, first);
      for (size_t c = begin; c < count; ++c) row[c] = products[active_[c]];
      for (size_t r = 0; r < p; ++r) {
        const double* above = &factor_[r * points_];
        const double scale = above[p];
        for (size_t c = begin; c < count; ++c) row[c] -= scale * above[c];
      }
      if (p >= first) {
        const bool dependent = row[p] < kDependent;
        const double pivot = dependent ? 0 : 1 / std::sqrt(row[p]);
        for (size_t c = p; c < count; ++c) row[c] *= pivot;
      } else if (begin < count) {
        const double pivot = row[p] > 0 ? 1 / row[p] : 0;
        for (size_t c = begin; c < count; ++c) row[c] *= pivot;
      }
    }
  }

  std::vector<double> solve_factored(const double* q) const {
    const size_t count = active_.size();
    std::vector<double> z(count);
    for (size_t p = 0; p < count; ++p) z[p] = -q[active_[p]];
    for (size_t p = 0; p < count; ++p) {
      const double* row = &factor_[p * points_];
      z[p] = row[p] > 0 ? z[p] / row[p] : 0;
      for (size_t c = p + 1; c < count; ++c) z[c] -= row[c] * z[p];
    }
    for (size_t p = count; p-- > 0;) {
      const double* row = &factor_[p * points_];
      for (size_t c = p + 1; c < count; ++c) z[p] -= row[c] * z[c];
      z[p] = row[p] > 0 ? z[p] / row[p] : 0;
    }
    return z;
  }

  void update_gradient(const double* q, const double* b) {
    std::copy(q, q + points_, gradient_.begin());
    for (const int64_t i : active_) {
      const double* row = gram_ + i * points_;
      for (int64_t j = 0; j < points_; ++j) gradient_[j] += b[i] * row[j];
    }
  }

  double value(const double* q, const double* b) const {
    double sum = 0;
    for (const int64_t i : active_) sum += b[i] * (gradient_[i] + q[i]);
    return sum / 2;
  }

  at::Tensor unit_;
  const double* gram_;
  int64_t points_;
  size_t factored_ = 0;         // columns of the factor that hold for the active set
  std::vector<double> factor_;  // [M, M], of which the active set's upper triangle is used
  std::vector<double> gradient_;
  std::vector<int64_t> active_;
};

}  // namespace

ConeProjection project_onto_cone(const at::Tensor& gram, const at::Tensor& products, double kappa,
                                 const at::Tensor& signs) {
  const at::Tensor norm = gram.diagonal().sqrt();                                       // [M]
  const at::Tensor scale = norm.where(norm > 0, at::ones_like(norm));                   // [M]
  const at::Tensor unit = (gram / (scale.unsqueeze(1) * scale)).contiguous();           // [M, M]
  const at::Tensor y = signs.defined() ? signs.contiguous() : at::ones_like(products);  // [T, M]
  const at::Tensor q = ((products - kappa * y) / scale).contiguous();                   // [T, M]
  const at::Tensor b = at::empty_like(q);  // [T, M], y a
  const int64_t points = q.size(1);
  at::parallel_for(0, q.size(0), 1, [&](int64_t begin, int64_t end) {
    ActiveSet program(unit);
    for (int64_t t = begin; t < end; ++t)
      program.solve(q.const_data_ptr<double>() + t * points,
                    y.const_data_ptr<double>() + t * points,
                    b.mutable_data_ptr<double>() + t * points);
  });
  const at::Tensor moved = b.matmul(unit);   // [T, M], (v - t) . s_i
  const at::Tensor slack = y * (moved + q);  // [T, M]
  const at::Tensor a = y * b;                // [T, M]
  const at::Tensor violation = at::max(at::max(-slack, -a), (a * slack).abs());  // [T, M]
  return {.multipliers = a / scale,
          .distance = (b * moved).sum(1),
          .violation = violation.numel() > 0 ? std::max(0.0, violation.max().item<double>()) : 0};
}

}  // namespace crrm
