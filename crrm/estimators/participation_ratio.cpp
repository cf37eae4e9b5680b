#include "crrm/estimators/participation_ratio.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crrm/base/normal.h"
#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr int64_t kFewestRows = 5;   // the jackknife leaves one out, and averages take four
constexpr double kEnoughRows = 10;   // rows a dimension, for which the plain ratio is 10 % low
constexpr double kWideInterval = 2;  // high / low, above which the rows are too few
constexpr double kRounding = 1e-10;  // of a mean of products

// Sums over the products g_ij = x_i . x_j of rows, h_ij those with i != j.
struct GramSums {
  at::Tensor diagonal;         // sum_i g_ii
  at::Tensor diagonal_square;  // sum_i g_ii^2
  at::Tensor total;            // sum_ij h_ij
  at::Tensor square;           // sum_ij h_ij^2
  at::Tensor row_square;       // sum_i (sum_j h_ij)^2
  at::Tensor diagonal_row;     // sum_i g_ii sum_j h_ij
};

// Rows less their mean sum to zero, so sum_j h_ij = -g_ii.
GramSums sums_of(const CentredGram& gram) {
  const at::Tensor diagonal = gram.square.sum(), diagonal_square = gram.square.square().sum();
  return {.diagonal = diagonal,
          .diagonal_square = diagonal_square,
          .total = -diagonal,
          .square = gram.row_square.sum() - diagonal_square,
          .row_square = diagonal_square,
          .diagonal_row = -diagonal_square};
}

// Of all rows but one, each of them in turn: [n] each.
GramSums sums_without_each(const CentredGram& gram) {
  const GramSums all = sums_of(gram);
  const at::Tensor own = gram.square, own_square = own.square();  // [n] g_ii, g_ii^2
  const at::Tensor others = gram.row_square - own_square;         // [n] sum_j h_ij^2
  const at::Tensor weighted = gram.row_weighted - own_square;     // [n] sum_j g_jj h_ij
  const at::Tensor diagonal_square = all.diagonal_square - own_square;
  return {.diagonal = all.diagonal - own,
          .diagonal_square = diagonal_square,
          .total = all.total + 2 * own,
          .square = all.square - 2 * others,
          .row_square = diagonal_square + 2 * weighted + others,
          .diagonal_row = -diagonal_square - weighted};
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

// What rounding leaves of tr S^2 is none.
bool is_positive(const Traces& traces, const GramSums& sums, double n) {
  const double scale = sums.square.item<double>() + sums.diagonal_square.item<double>();
  return traces.square_of_trace.item<double>() > 0 &&
         traces.trace_of_square.item<double>() > kRounding * scale / (n * (n - 1));
}

// Of the logarithm of the ratio, over rows; none where the ratio of some rows has no logarithm.
std::optional<Interval> jackknife(const CentredGram& gram, double ratio) {
  const auto n = static_cast<double>(gram.rows);
  const Traces each = unbiased(sums_without_each(gram), n - 1);  // [n]
  const at::Tensor logarithm = (each.square_of_trace / each.trace_of_square).log();
  const double error = std::sqrt(n - 1) * logarithm.std(/*unbiased=*/false).item<double>();
  if (!std::isfinite(error)) return std::nullopt;
  const double factor = std::exp(kNormal975 * error);
  return Interval{.low = ratio / factor, .high = ratio * factor};
}

std::string assumptions_of(SampledAxes sampled) {
  if (sampled == SampledAxes::none) return {};
  return sampled == SampledAxes::rows ? "rows drawn independently"
                                      : "rows and columns drawn independently";
}

// With the plain ratio in the details, or refused.
Estimate plain_ratio(const CentredGram& gram, SampledAxes sampled) {
  Estimate estimate{.measure = "participation ratio",
                    .unit = "dimensions",
                    .samples = gram.rows,
                    .assumptions = assumptions_of(sampled),
                    .source = "Chun, Canatar, Chung, Lee, ICLR 2026, sections 2 to 4",
                    .details = {{"rows", gram.rows}, {"columns", gram.columns}}};
  const int64_t enough = sampled == SampledAxes::none ? 2 : kFewestRows;
  if (gram.rows < enough || gram.columns < 2)
    return refuse(std::move(estimate), Validity::too_few_samples,
                  fmt::format("{} x {} values: {} rows and 2 columns are needed", gram.rows,
                              gram.columns, enough));
  const double trace = gram.square.sum().item<double>();
  if (trace <= 0)
    return refuse(std::move(estimate), Validity::out_of_range, "the rows do not vary");
  estimate.value = trace * trace / gram.row_square.sum().item<double>();
  estimate.details.emplace_back("plain ratio", *estimate.value);
  return estimate;
}

void set(Estimate& estimate, const Traces& traces, const GramSums& sums, const CentredGram& gram) {
  if (is_positive(traces, sums, gram.rows))
    estimate.value = (traces.square_of_trace / traces.trace_of_square).item<double>();
  else
    estimate = refuse(std::move(estimate), Validity::too_few_samples,
                      fmt::format("{} rows: the estimate of tr S^2 is not positive", gram.rows));
}

Estimate of_rows(const CentredGram& gram) {
  Estimate estimate = plain_ratio(gram, SampledAxes::rows);
  if (estimate.refused()) return estimate;
  const GramSums sums = sums_of(gram);
  set(estimate, unbiased(sums, gram.rows), sums, gram);
  if (estimate.refused()) return estimate;
  estimate.interval = jackknife(gram, *estimate.value);
  if (!estimate.interval || estimate.interval->high > kWideInterval * estimate.interval->low) {
    estimate.validity = Validity::too_few_samples;
    estimate.reason =
        fmt::format("{} rows leave the ratio open by more than a factor of two", gram.rows);
  }
  // The truth is at most the number of columns, and where they are alike the estimate is above it
  // as often as below.
  const auto most = static_cast<double>(gram.columns);
  if (estimate.interval) {
    estimate.interval->low = std::min(estimate.interval->low, most);
    estimate.interval->high = std::min(estimate.interval->high, most);
  }
  estimate.value = std::min(*estimate.value, most);
  return estimate;
}

Estimate of_rows_and_columns(const at::Tensor& x, const CentredGram& gram) {
  Estimate estimate = plain_ratio(gram, SampledAxes::both);
  if (estimate.refused()) return estimate;
  const GramSums sums = sums_of(gram);
  Traces traces = unbiased(sums, gram.rows);
  const at::Tensor matrix = sample_matrix(x);
  const Traces same = unbiased(sums_of_columns(matrix - matrix.mean(0)), gram.rows);  // [d]
  traces.square_of_trace = traces.square_of_trace - same.square_of_trace.sum();
  traces.trace_of_square = traces.trace_of_square - same.trace_of_square.sum();
  set(estimate, traces, sums, gram);
  return estimate;
}

Estimate of_matrix(const CentredGram& gram) {
  Estimate estimate = plain_ratio(gram, SampledAxes::none);
  if (estimate.refused() || gram.rows >= kEnoughRows * *estimate.value) return estimate;
  estimate.validity = Validity::too_few_samples;
  estimate.reason =
      fmt::format("{} rows for {:.4g} dimensions: more than 10 % below that of their distribution",
                  gram.rows, *estimate.value);
  return estimate;
}

}  // namespace

Estimate participation_ratio(const at::Tensor& x, SampledAxes sampled) {
  const CentredGram gram = centred_gram(x);
  if (sampled == SampledAxes::both) return of_rows_and_columns(x, gram);
  return sampled == SampledAxes::rows ? of_rows(gram) : of_matrix(gram);
}

Estimate participation_ratio(const CentredGram& gram) {
  return of_rows(gram);
}

}  // namespace crrm
