#include "crrm/estimators/spectrum.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

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

Spectrum of_gram(const at::Tensor& gram, int64_t rows, int64_t columns) {
  const at::Tensor squares = at::linalg_eigvalsh(gram).flip(0);  // [min(n, d)]
  const double noise = static_cast<double>(std::max(rows, columns)) *
                       std::numeric_limits<double>::epsilon() * squares[0].item<double>();
  return {.squares = squares.where(squares > noise, at::zeros_like(squares)),
          .rows = rows,
          .columns = columns};
}

}  // namespace

Spectrum spectrum(const at::Tensor& x) {
  const at::Tensor matrix = sample_matrix(x);  // [n, d]
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  return of_gram(rows < columns ? matrix.matmul(matrix.t()) : matrix.t().matmul(matrix), rows,
                 columns);
}

Spectrum spectrum(const CentredGram& gram) {
  return of_gram(gram.gram, gram.rows, gram.columns);
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

}  // namespace crrm
