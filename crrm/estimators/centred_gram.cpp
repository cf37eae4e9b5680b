#include "crrm/estimators/centred_gram.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "crrm/estimators/sample_matrix.h"

namespace crrm {

namespace {

constexpr int64_t kAtOnce = int64_t{1} << 21;  // values in float64: 16 MiB, and as many centred

int64_t block_of(int64_t extent, int64_t other) {
  return std::min(extent, std::max<int64_t>(1, kAtOnce / other));
}

// Columns [first, first + count), less their means.
at::Tensor centred_columns(const at::Tensor& x, int64_t first, int64_t count) {
  at::Tensor block = sample_matrix(x.narrow(1, first, count));
  return block - block.mean(0);
}

CentredGram of_wide(const at::Tensor& x) {  // n <= d
  const int64_t n = x.size(0), d = x.size(1), block = block_of(d, n);
  at::Tensor gram = at::zeros({n, n}, at::kDouble);
  for (int64_t first = 0; first < d; first += block) {
    const at::Tensor columns = centred_columns(x, first, std::min(block, d - first));
    gram.addmm_(columns, columns.t());
  }
  const at::Tensor square = gram.diagonal().clone();  // [n]
  return {.gram = gram,
          .square = square,
          .row_square = gram.square().sum(1),
          .row_weighted = gram.mv(square),
          .rows = n,
          .columns = d};
}

CentredGram of_tall(const at::Tensor& x) {  // n > d
  const int64_t n = x.size(0), d = x.size(1), block = block_of(n, d);
  const auto count = [&](int64_t first) { return std::min(block, n - first); };
  at::Tensor mean = at::zeros({d}, at::kDouble);
  for (int64_t first = 0; first < n; first += block)
    mean += sample_matrix(x.narrow(0, first, count(first))).sum(0);
  mean /= static_cast<double>(n);
  const auto rows = [&](int64_t first) {
    return sample_matrix(x.narrow(0, first, count(first))) - mean;
  };
  at::Tensor gram = at::zeros({d, d}, at::kDouble);
  at::Tensor weighted = at::zeros({d}, at::kDouble);  // sum_j |x_j|^2 x_j
  const at::Tensor square = at::empty({n}, at::kDouble), row_square = at::empty_like(square),
                   row_weighted = at::empty_like(square);
  for (int64_t first = 0; first < n; first += block) {
    const at::Tensor x_i = rows(first), length = x_i.square().sum(1);
    square.narrow(0, first, length.size(0)).copy_(length);
    gram.addmm_(x_i.t(), x_i);
    weighted.addmv_(x_i.t(), length);
  }
  for (int64_t first = 0; first < n; first += block) {
    const at::Tensor x_i = rows(first);
    row_square.narrow(0, first, x_i.size(0)).copy_((x_i.matmul(gram) * x_i).sum(1));
    row_weighted.narrow(0, first, x_i.size(0)).copy_(x_i.mv(weighted));
  }
  return {.gram = gram,
          .square = square,
          .row_square = row_square,
          .row_weighted = row_weighted,
          .rows = n,
          .columns = d};
}

}  // namespace

CentredGram centred_gram(const at::Tensor& x) {
  check_matrix(x);
  return x.size(0) <= x.size(1) ? of_wide(x) : of_tall(x);
}

}  // namespace crrm
