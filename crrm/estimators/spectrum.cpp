#include "crrm/estimators/spectrum.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr double kEnoughRows = 10;  // rows a dimension, for which the plain ratio is 10 % low

Estimate blank(const Spectrum& spectrum, std::string measure, std::string source) {
  return {.measure = std::move(measure),
          .unit = "dimensions",
          .samples = spectrum.rows,
          .source = std::move(source),
          .details = {{"rows", spectrum.rows}, {"columns", spectrum.columns}}};
}

bool is_zero(const Spectrum& spectrum) {
  return spectrum.squares[0].item<double>() == 0;
}

Estimate refuse_zero(Estimate estimate) {
  return refuse(std::move(estimate), Validity::out_of_range, "the matrix is zero");
}

// Sums over the products g_ij = x_i . x_j of rows, h_ij those with i != j.
struct GramSums {
  at::Tensor diagonal;         // sum_i g_ii
  at::Tensor diagonal_square;  // sum_i g_ii^2
  at::Tensor total;            // sum_ij h_ij
  at::Tensor square;           // sum_ij h_ij^2
  at::Tensor row_square;       // sum_i (sum_j h_ij)^2
  at::Tensor diagonal_row;     // sum_i g_ii sum_j h_ij
};

GramSums sums_of(const at::Tensor& x) {           // [n, d]
  const at::Tensor gram = x.matmul(x.t());        // [n, n]
  const at::Tensor diagonal = gram.diagonal();    // [n]
  const at::Tensor row = gram.sum(1) - diagonal;  // [n]
  return {.diagonal = diagonal.sum(),
          .diagonal_square = diagonal.square().sum(),
          .total = row.sum(),
          .square = gram.square().sum() - diagonal.square().sum(),
          .row_square = row.square().sum(),
          .diagonal_row = (diagonal * row).sum()};
}

// Of each column on its own, from its power sums.
GramSums sums_of_columns(const at::Tensor& x) {  // [n, d] to [d] each
  const at::Tensor p1 = x.sum(0), p2 = x.square().sum(0), p3 = x.pow(3).sum(0),
                   p4 = x.pow(4).sum(0);
  return {.diagonal = p2,
          .diagonal_square = p4,
          .total = p1 * p1 - p2,
          .square = p2 * p2 - p4,
          .row_square = p1 * p1 * p2 - 2 * p1 * p3 + p4,
          .diagonal_row = p1 * p3 - p4};
}

struct Traces {
  at::Tensor square_of_trace, trace_of_square;
};

// Without bias for (tr S)^2 and tr S^2: means of (x_i - x_j).(x_i - x_j) (x_k - x_l).(x_k - x_l) /
// 4 and
// ((x_i - x_j).(x_k - x_l))^2 / 4 over distinct i, j, k, l, written out.
Traces unbiased(const GramSums& sums, double n) {
  const double pairs = n * (n - 1), triples = pairs * (n - 2), quadruples = triples * (n - 3);
  const at::Tensor four =
      (sums.total.square() - 4 * sums.row_square + 2 * sums.square) / quadruples;
  return {.square_of_trace = (sums.diagonal.square() - sums.diagonal_square) / pairs -
                             2 * (sums.diagonal * sums.total - 2 * sums.diagonal_row) / triples +
                             four,
          .trace_of_square =
              sums.square / pairs - 2 * (sums.row_square - sums.square) / triples + four};
}

}  // namespace

Spectrum spectrum(const at::Tensor& x) {
  const at::Tensor matrix = sample_matrix(x);  // [n, d]
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  const at::Tensor gram = rows < columns ? matrix.matmul(matrix.t()) : matrix.t().matmul(matrix);
  const at::Tensor squares = at::linalg_eigvalsh(gram).flip(0);  // [min(n, d)]
  const double noise = static_cast<double>(std::max(rows, columns)) *
                       std::numeric_limits<double>::epsilon() * squares[0].item<double>();
  return {.squares = squares.where(squares > noise, at::zeros_like(squares)),
          .rows = rows,
          .columns = columns};
}

Estimate effective_rank(const Spectrum& spectrum) {
  Estimate estimate =
      blank(spectrum, "effective rank", "Roy & Vetterli, EUSIPCO 2007, definition 1");
  if (is_zero(spectrum)) return refuse_zero(std::move(estimate));
  const at::Tensor values = spectrum.squares.sqrt();
  const at::Tensor p = values / values.sum();
  estimate.value = std::exp(-at::special_xlogy(p, p).sum().item<double>());
  return estimate;
}

Estimate stable_rank(const Spectrum& spectrum) {
  Estimate estimate =
      blank(spectrum, "stable rank", "Rudelson & Vershynin, J. ACM 54 (4), 21 (2007), section 1");
  if (is_zero(spectrum)) return refuse_zero(std::move(estimate));
  estimate.value = (spectrum.squares.sum() / spectrum.squares[0]).item<double>();
  return estimate;
}

Estimate energy_rank(const Spectrum& spectrum, double part) {
  Estimate estimate = blank(spectrum, fmt::format("{:g} % rank", 100 * part), "by its definition");
  if (is_zero(spectrum)) return refuse_zero(std::move(estimate));
  const at::Tensor held = spectrum.squares.cumsum(0) / spectrum.squares.sum();
  // A part that the first k hold up to rounding is held.
  estimate.value = 1 + (held < part - 1e-12).sum().item<int64_t>();
  return estimate;
}

Estimate participation_ratio(const at::Tensor& x, SampledAxes sampled) {
  const at::Tensor matrix = sample_matrix(x);  // [n, d]
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  const at::Tensor centred = matrix - matrix.mean(0);
  Estimate estimate{.measure = "participation ratio",
                    .unit = "dimensions",
                    .samples = rows,
                    .source = "Chun, Canatar, Chung, Lee, ICLR 2026, sections 2 to 4",
                    .details = {{"rows", rows}, {"columns", columns}}};
  if (sampled == SampledAxes::rows) estimate.assumptions = "rows drawn independently";
  if (sampled == SampledAxes::both) estimate.assumptions = "rows and columns drawn independently";
  const int64_t enough = sampled == SampledAxes::none ? 2 : 4;
  if (rows < enough || columns < 2)
    return refuse(
        std::move(estimate), Validity::too_few_samples,
        fmt::format("{} x {} values: {} rows and 2 columns are needed", rows, columns, enough));
  const at::Tensor covariance =
      rows < columns ? centred.matmul(centred.t()) : centred.t().matmul(centred);
  const double trace = covariance.trace().item<double>();
  if (trace <= 0)
    return refuse(std::move(estimate), Validity::out_of_range, "the rows do not vary");
  const double plain = trace * trace / covariance.square().sum().item<double>();
  estimate.details.emplace_back("plain ratio", plain);
  if (sampled == SampledAxes::none) {
    estimate.value = plain;
    if (rows < kEnoughRows * plain) {
      estimate.validity = Validity::too_few_samples;
      estimate.reason = fmt::format(
          "{} rows for {:.4g} dimensions: more than 10 % below that of their distribution", rows,
          plain);
    }
    return estimate;
  }
  Traces traces = unbiased(sums_of(centred), rows);
  if (sampled == SampledAxes::both) {
    const Traces same = unbiased(sums_of_columns(centred), rows);
    traces.square_of_trace = traces.square_of_trace - same.square_of_trace.sum();
    traces.trace_of_square = traces.trace_of_square - same.trace_of_square.sum();
  }
  const double above = traces.square_of_trace.item<double>();
  const double below = traces.trace_of_square.item<double>();
  if (!(above > 0 && below > 0))
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} rows: the estimate of tr S^2 is not positive", rows));
  estimate.value = above / below;
  return estimate;
}

}  // namespace crrm
